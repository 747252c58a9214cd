import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { Refusal } from "#kit/refusal.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { keyedAuthority } from "#test/support/keyed-authority.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const authority = keyedAuthority();
let server: RpcServer;
let ended = 0;
beforeAll(async () => {
  server = await startStubServer(
    {},
    {
      services: [PaymentService],
      routes: (router) => {
        router.service(PaymentService, {
          async *watch(_, { signal }) {
            yield {};
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            ended += 1;
          },
        });
      },
      security: { authority },
      limits: { recheckMs: 20 },
    },
  );
});
afterAll(() => server.close(0));

/** Opens a stream, waits for its first message, and answers with how it ends. */
async function open(headers: Headers): Promise<{ readonly end: Promise<unknown> }> {
  const transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
  const messages = createClient(PaymentService, transport).watch({ paymentId: "p" }, { headers });
  const iterator = messages[Symbol.asyncIterator]();
  await iterator.next();
  return {
    end: iterator.next().then(
      () => "went on",
      (error: unknown) => error,
    ),
  };
}

const unauthenticated = (failure: unknown): void => {
  const error = ConnectError.from(failure);
  expect([error.code, reasonOf(error)]).toEqual([Code.Unauthenticated, "CREDENTIALS_INVALID"]);
  expect(error.rawMessage).toContain("while the stream was open");
};

test("an open stream ends when its key is revoked, and so does what runs for it", async () => {
  const before = ended;
  const { end } = await open(authority.key("revoked", "t", ["merchant"]));
  authority.revoke("revoked");
  unauthenticated(await end);
  await waitUntil(async () => ended === before + 1);
});

test("an open stream ends when its token does, though a check would still let it in", async () => {
  const expireMs = Date.now() + 300;
  const { end } = await open(authority.key("short", "t", ["merchant"], { expireMs }));
  unauthenticated(await end);
  expect(Date.now()).toBeGreaterThanOrEqual(expireMs);
});

test("an open stream of REST ends with the same reason as its last line", async () => {
  const headers = authority.key("rest", "t", ["merchant"]);
  const response = await fetch(`http://${server.address}/v1/payments/p:watch`, { headers });
  authority.revoke("rest");
  const lines = (await response.text()).trim().split("\n");
  expect(lines.at(-1)).toContain('"CREDENTIALS_INVALID"');
});

test("an open stream goes on while keys cannot be read, and ends when they can and its key is gone", async () => {
  const { end } = await open(authority.key("outage", "t", ["merchant"]));
  authority.outage = new Refusal("STORE_UNAVAILABLE");
  const asked = authority.asked;
  await waitUntil(async () => authority.asked > asked + 3);
  expect(await Promise.race([end, Promise.resolve("open")])).toBe("open");
  authority.revoke("outage");
  authority.outage = undefined;
  unauthenticated(await end);
});
