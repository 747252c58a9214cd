import http2 from "node:http2";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { startStubServer } from "#test/support/stub-server.ts";

/** A server whose GetCheck waits until it is let go. */
async function startWaiting() {
  const entered = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const server = await startStubServer({
    fraud: {
      getCheck: async ({ checkId }, context) => {
        entered.resolve();
        await go.promise;
        context.signal.throwIfAborted();
        return { check: { checkId } };
      },
    },
  });
  return { server, entered: entered.promise, go: go.resolve };
}

const transports = {
  gRPC: (server: RpcServer) => createGrpcTransport({ baseUrl: `http://${server.address}` }),
  "Connect over HTTP/1.1": (server: RpcServer) =>
    createConnectTransport({ baseUrl: `http://${server.address}`, httpVersion: "1.1" }),
};

test.each(Object.entries(transports))(
  "a call that runs is finished, not aborted, %s",
  async (_, transport) => {
    const { server, entered, go } = await startWaiting();
    const client = createClient(FraudService, transport(server));
    const call = client.getCheck({ checkId: "a" });
    await entered;
    const closing = server.close(30_000);
    await expect(fetch(`http://${server.address}/healthz`)).rejects.toThrow();
    go();
    expect((await call).check?.checkId).toBe("a");
    await closing;
  },
);

test("a call that does not end is cut off when the time to drain is over", async () => {
  const { server, entered } = await startWaiting();
  const call = createClient(FraudService, transports.gRPC(server)).getCheck({ checkId: "a" });
  const failed = call.catch((error: unknown) => ConnectError.from(error));
  await entered;
  await server.close(20);
  expect(await failed).toBeInstanceOf(ConnectError);
});

test("who watches health is told NOT_SERVING first, then the stream ends as SHUTTING_DOWN", async () => {
  await using server = await startStubServer();
  const client = createClient(Health, transports.gRPC(server));
  const seen: Status[] = [];
  const error = await (async () => {
    for await (const { status } of client.watch({})) {
      seen.push(status);
      if (status === Status.SERVING) void server.close();
    }
  })().catch((error: unknown) => ConnectError.from(error));
  expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
  expect(error?.code).toBe(Code.Unavailable);
  expect(reasonOf(error)).toBe("SHUTTING_DOWN");
});

test("an HTTP/2 client is told to go, so that it opens its next connection elsewhere", async () => {
  const server = await startStubServer();
  const session = http2.connect(`http://${server.address}`);
  const code = new Promise((resolve) => session.once("goaway", resolve));
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  await server.close();
  expect(await code).toBe(http2.constants.NGHTTP2_NO_ERROR);
});

test("closing twice is closing once, and an unused server closes at once", async () => {
  const server = await startStubServer();
  await Promise.all([server.close(), server.close()]);
  await expect(fetch(`http://${server.address}/healthz`)).rejects.toThrow();
});

test("a port that is taken is an error that says so", async () => {
  await using server = await startStubServer();
  await expect(startStubServer({}, { port: server.port })).rejects.toThrow(/EADDRINUSE/);
});
