import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { closePeers, createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

afterAll(() => closePeers());

const echo = {
  fraud: { getCheck: ({ checkId }: { checkId: string }) => ({ check: { checkId } }) },
};

test("a peer that was restarted on the same port is reached again", async () => {
  const first = await startStubServer(echo);
  const peer = createPeer(FraudService, `http://${first.address}`);
  expect((await peer.getCheck({ checkId: "a" })).check?.checkId).toBe("a");
  await first.close(0);
  const error = await peer.getCheck({ checkId: "b" }).catch((error: unknown) => error);
  expect(ConnectError.from(error).code).toBe(Code.Unavailable);
  await using _ = await startStubServer(echo, { port: first.port });
  await waitUntil(async () => {
    const answer = await peer.getCheck({ checkId: "c" }).catch(() => undefined);
    return answer?.check?.checkId === "c";
  });
});

test("a peer is still reached after all connections were closed", async () => {
  await using server = await startStubServer(echo);
  const peer = createPeer(FraudService, `http://${server.address}`);
  await peer.getCheck({ checkId: "a" });
  closePeers();
  expect((await peer.getCheck({ checkId: "b" })).check?.checkId).toBe("b");
});

test("a peer sees the tenant, the deadline and the cancellation of its caller", async () => {
  const aborted = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  await using server = await startStubServer({
    fraud: {
      getCheck: (_, context) => {
        seen.push(scopeOf(context).tenant, context.timeoutMs());
        context.signal.addEventListener("abort", () => aborted.resolve());
        controller.abort();
        return new Promise(() => undefined);
      },
    },
  });
  const controller = new AbortController();
  const peer = createPeer(FraudService, `http://${server.address}`);
  const options = onBehalfOf({ tenant: "shop-7" }, { timeoutMs: 5_000, signal: controller.signal });
  const error = await peer.getCheck({ checkId: "a" }, options).catch((error: unknown) => error);
  expect(ConnectError.from(error).code).toBe(Code.Canceled);
  await aborted.promise;
  expect(seen[0]).toBe("shop-7");
  expect(seen[1]).toBeGreaterThan(4_000);
  expect(seen[1]).toBeLessThanOrEqual(5_000);
  await server.close(0);
});
