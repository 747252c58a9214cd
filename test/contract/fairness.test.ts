import { Code, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { PaymentService, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import type { OverloadPolicy } from "#kit/rpc/overload.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { keyedAuthority } from "#test/support/keyed-authority.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const { COMPLETED } = WaitUntil;
const ASKED = { accountId: "1", amount: { currencyCode: "USD", minorUnits: 1n } };

/** A port whose Create waits, and whose Get hangs, until the test lets them go. */
async function startBusy(overload: Partial<OverloadPolicy>) {
  const authority = keyedAuthority();
  const held = Promise.withResolvers<void>();
  const payment: Partial<ServiceImpl<typeof PaymentService>> = {
    create: async ({ waitUntil: until }) => {
      if (until === COMPLETED) await held.promise;
      return { orderId: "o" };
    },
    get: async () => {
      await held.promise;
      return {};
    },
    getStatus: async () => ({}),
  };
  const server = await startStubServer(
    {},
    {
      services: [PaymentService, KeyService],
      routes: (router) => {
        router.service(PaymentService, payment);
        router.service(KeyService, { revokeKey: async ({ keyId }) => ({ key: { keyId } }) });
      },
      security: { authority },
      overload,
    },
  );
  return { server, authority, letGo: () => held.resolve() };
}

async function gauge(server: RpcServer, name: string): Promise<number> {
  const text = await (await fetch(`http://${server.address}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

/** Each client has connections of its own, as the callers of different people have. */
function clientsOf(server: RpcServer) {
  const transport = () => createGrpcTransport({ baseUrl: `http://${server.address}` });
  return {
    payment: () => createClient(PaymentService, transport()),
    keys: () => createClient(KeyService, transport()),
  };
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "OK",
    (error: unknown) => reasonOf(error) ?? Code[ConnectError.from(error).code],
  );

describe("a port that is busy", () => {
  test("with 170 waiting Creates of one key serves every other, and its limit stays what it was", async () => {
    const { server, authority, letGo } = await startBusy({ waitingMax: 1_000 });
    await using _ = server;
    const { payment, keys } = clientsOf(server);
    const payer = { headers: authority.key("payer", "t", ["payer"]) };
    const clients = [payment(), payment()];
    const limit = await gauge(server, "settle_overload_limit");
    const waiting = Array.from({ length: 170 }, (_, each) =>
      clients[each % 2]?.create({ ...ASKED, waitUntil: COMPLETED }, payer),
    );
    await waitUntil(async () => (await gauge(server, "settle_overload_waiting")) === 170);
    expect(await gauge(server, "settle_overload_running")).toBe(0);
    const operator = { headers: authority.key("operator", "t", ["operator"]) };
    const others = [
      payment().create(ASKED, payer),
      payment().create(ASKED, { headers: authority.key("till", "t", ["merchant"]) }),
      payment().getStatus(
        { paymentId: "p" },
        { headers: authority.key("other", "u", ["merchant"]) },
      ),
      keys().revokeKey({ keyId: "payer" }, operator),
    ];
    expect(await Promise.all(others.map(codeOf))).toEqual(["OK", "OK", "OK", "OK"]);
    letGo();
    await Promise.all(waiting);
    expect(await gauge(server, "settle_overload_limit")).toBe(limit);
    expect(await gauge(server, "settle_overload_waiting")).toBe(0);
  });

  test("whose places one tenant's keys want serves other tenants, and RevokeKey when nothing is left", async () => {
    const policy = { limitStart: 16, limitMin: 16, limitMax: 16, queueMs: 5 };
    const { server, authority, letGo } = await startBusy(policy);
    await using _ = server;
    const { payment, keys } = clientsOf(server);
    const client = payment();
    const hang = (name: string, tenant: string) => {
      const headers = authority.key(name, tenant, ["merchant"]);
      return codeOf(client.get({ paymentId: "p" }, { headers }));
    };
    const greedy = ["a", "b", "c"].flatMap((name) =>
      Array.from({ length: 10 }, () => hang(name, "t")),
    );
    const runningAre = (count: number) =>
      waitUntil(async () => (await gauge(server, "settle_overload_running")) === count);
    await runningAre(12);
    const others = Array.from({ length: 4 }, () => hang("d", "u"));
    await runningAre(16);
    expect(await hang("e", "v")).toBe("OVERLOADED");
    const headers = authority.key("operator", "t", ["operator"]);
    expect(await codeOf(keys().revokeKey({ keyId: "a" }, { headers }))).toBe("OK");
    letGo();
    expect(await Promise.all(others)).toEqual(["OK", "OK", "OK", "OK"]);
    const ends = await Promise.all(greedy);
    expect(ends.filter((end) => end === "OK")).toHaveLength(12);
    expect(new Set(ends)).toEqual(new Set(["OK", "RATE_LIMITED"]));
  });
});
