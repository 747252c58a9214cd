import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { PaymentMethod_Mock_Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { RequestInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { PaymentService, PaymentStatus, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { type WireClient, wireClients } from "#test/support/rpc-clients.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

const request = {
  accountId: "1",
  amount: { currencyCode: "USD", minorUnits: 25n },
  waitUntil: WaitUntil.COMPLETED,
};
/** Stays open: the provider never calls back. */
const unanswered = {
  ...request,
  paymentMethod: {
    method: { case: "mock", value: { behaviour: PaymentMethod_Mock_Behaviour.NO_CALLBACK } },
  },
} as const;

/** A connection of its own to the edge. */
function edge() {
  return createGrpcTransport({ baseUrl: `http://${stack.addresses.edge}` });
}

describe("through the edge", () => {
  test("every client pays and is refused as at the service itself", async () => {
    const clients = wireClients(stack.addresses.edge);
    const method = AccountService.method;
    const ask = async (client: WireClient) => ({
      client: client.name,
      read: await client.call(method.getAccount, { accountId: "1" }),
      refused: await client.call(method.getAccount, { accountId: "absent" }),
      wrong: await client.call(method.getAccount, { accountId: "!" }),
    });
    try {
      for (const answers of await Promise.all(clients.map(ask))) {
        expect(answers).toMatchObject({
          client: answers.client,
          read: { ok: true, message: { account: { accountId: "1" } } },
          refused: { ok: false, code: Code.NotFound, reason: "ACCOUNT_NOT_FOUND" },
          wrong: { ok: false, code: Code.InvalidArgument, fields: ["account_id"] },
        });
      }
    } finally {
      for (const client of clients) client.close();
    }
  });

  test("a payment ends, and its Watch shows it until it is final", async () => {
    const payments = createClient(PaymentService, edge());
    const { payment } = await payments.create(request);
    expect(payment?.status).toBe(PaymentStatus.SUCCEEDED);
    const seen: PaymentStatus[] = [];
    for await (const event of payments.watch({ paymentId: payment?.paymentId ?? "" })) {
      if (event.payment) seen.push(event.payment.status);
    }
    expect(seen.at(-1)).toBe(PaymentStatus.SUCCEEDED);
  });

  test("an error has the caller's request id once, and its own details", async () => {
    const transport = createConnectTransport({
      baseUrl: `http://${stack.addresses.edge}`,
      httpVersion: "1.1",
    });
    const payments = createClient(PaymentService, transport);
    const headers = { "x-request-id": "edge-1" };
    const error = await payments
      .get({ paymentId: "absent" }, { headers })
      .catch((failure: unknown) => ConnectError.from(failure));
    expect(error).toBeInstanceOf(ConnectError);
    expect(reasonOf(error)).toBe("PAYMENT_NOT_FOUND");
    if (!(error instanceof ConnectError)) return;
    expect(error.findDetails(RequestInfoSchema).map((info) => info.requestId)).toEqual(["edge-1"]);
    expect(error.metadata.get("x-request-id")).toBe("edge-1");
  });

  test("the tenant is the caller's: another one sees nothing", async () => {
    const accounts = createClient(AccountService, edge());
    const headers = { "settle-tenant": "other" };
    const { accounts: found } = await accounts.listAccounts({}, { headers });
    expect(found).toEqual([]);
  });

  test("a deadline ends the call with the reason of a deadline", async () => {
    const payments = createClient(PaymentService, edge());
    const error = await payments
      .create(unanswered, { timeoutMs: 700 })
      .catch((failure: unknown) => failure);
    expect(ConnectError.from(error).code).toBe(Code.DeadlineExceeded);
  });

  test("a cancelled Watch ends at the service too", async () => {
    const payments = createClient(PaymentService, edge());
    const { payment } = await payments.create({ ...unanswered, waitUntil: WaitUntil.ACCEPTED });
    const stop = new AbortController();
    const running = () => metric(stack.addresses.payment, "payment.v1.PaymentService/Watch");
    const watching = (async () => {
      const options = { signal: stop.signal };
      for await (const _ of payments.watch({ paymentId: payment?.paymentId ?? "" }, options)) {
        // Goes on until the test stops it.
      }
    })().catch((failure: unknown) => ConnectError.from(failure).code);
    await waitUntil(async () => (await running()) === 1);
    stop.abort();
    expect(await watching).toBe(Code.Canceled);
    await waitUntil(async () => (await running()) === 0);
  });
});

describe("health", () => {
  test("is each service's own and all of them together", async () => {
    const health = createClient(Health, edge());
    const status = async (service: string) => (await health.check({ service })).status;
    expect(await status("")).toBe(Status.SERVING);
    await stack.stop("notification");
    await waitUntil(
      async () => (await status("notification.v1.NotificationService")) === Status.NOT_SERVING,
    );
    expect(await status("")).toBe(Status.NOT_SERVING);
    expect(await status("account.v1.AccountService")).toBe(Status.SERVING);
    expect((await fetch(`http://${stack.addresses.edge}/readyz`)).status).toBe(503);
    expect((await fetch(`http://${stack.addresses.edge}/healthz`)).status).toBe(200);
    await stack.start("notification");
    await waitUntil(async () => (await status("")) === Status.SERVING);
  });

  test("a service that is down is UNAVAILABLE, and back after its start without help", async () => {
    const client = createClient(AccountService, edge());
    await stack.stop("account");
    const error = await client.getAccount({ accountId: "1" }).catch((failure: unknown) => failure);
    expect(ConnectError.from(error).code).toBe(Code.Unavailable);
    await stack.start("account");
    await waitUntil(async () => {
      const answer = await client.getAccount({ accountId: "1" }).catch(() => undefined);
      return answer?.account?.accountId === "1";
    });
  });
});

describe("an edge where 170 Creates of one caller wait for a payment", () => {
  test("serves every other call, answers probes, and may run as many as before", async () => {
    const { edge: address } = stack.addresses;
    const clients = [createClient(PaymentService, edge()), createClient(PaymentService, edge())];
    const requestId = "held";
    // One payment, asked for again and again: each call waits for its end, and a refused one comes back.
    const paid = await stack.payment.create({
      ...unanswered,
      requestId,
      waitUntil: WaitUntil.ACCEPTED,
    });
    const { paymentId = "" } = paid.payment ?? {};
    const limit = await numberOf(address, "settle_overload_limit");
    const waiting = Array.from({ length: 170 }, (_, each) =>
      waitUntil(async () => clients[each % 2]?.create({ ...unanswered, requestId })),
    );
    const ends = Promise.allSettled(waiting);
    await waitUntil(async () => (await numberOf(address, "settle_overload_waiting")) === 170);

    const other = createClient(PaymentService, edge());
    const { payment } = await other.create({ ...request, requestId: "beside" });
    expect(payment?.status).toBe(PaymentStatus.SUCCEEDED);
    expect(
      (await createClient(AccountService, edge()).getAccount({ accountId: "1" })).account,
    ).toBeTruthy();
    expect((await createClient(Health, edge()).check({})).status).toBe(Status.SERVING);
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);

    await other.cancel({ paymentId });
    expect((await ends).map(({ status }) => status)).toEqual(waiting.map(() => "fulfilled"));
    expect(await numberOf(address, "settle_overload_limit")).toBe(limit);
    expect(await numberOf(address, "settle_overload_waiting")).toBe(0);
  });
});

/** How many calls of an RPC run on a port. */
function metric(address: string, rpc: string): Promise<number> {
  return numberOf(address, `settle_rpc_running{rpc="${rpc}"}`);
}

/** A number of a port's metrics; 0 when it has none. */
async function numberOf(address: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? 0);
}
