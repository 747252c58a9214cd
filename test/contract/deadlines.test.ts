import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { rawProtocols } from "#test/support/raw-rpc.ts";
import { keepingLog, startStubServer } from "#test/support/stub-server.ts";

const { getCheck } = FraudService.method;
const message = { gRPC: [0x0a, 1, 0x61], "gRPC-Web": [0x0a, 1, 0x61], Connect: [0x0a, 1, 0x61] };

describe.each(["gRPC", "gRPC-Web", "Connect"] as const)("%s", (protocol) => {
  const send = rawProtocols[protocol];
  const bytes = Buffer.from(message[protocol]);

  test("shortens a deadline of an hour to the server's, and the handler sees it", async () => {
    let timeoutMs: number | undefined;
    await using server = await startStubServer({
      fraud: {
        getCheck: (_, context) => {
          timeoutMs = context.timeoutMs();
          return {};
        },
      },
    });
    const headers =
      protocol === "Connect" ? { "connect-timeout-ms": "7200000" } : { "grpc-timeout": "2H" };
    expect(await send(server.address, getCheck, bytes, { headers })).toMatchObject({
      code: undefined,
    });
    expect(timeoutMs).toBeGreaterThan(20_000);
    expect(timeoutMs).toBeLessThanOrEqual(30_000);
  });

  test("ends a call at the server's deadline though its handler does not", async () => {
    await using server = await startStubServer(
      { fraud: { getCheck: () => new Promise(() => undefined) } },
      { limits: { unaryMs: 50 } },
    );
    expect(await send(server.address, getCheck, bytes)).toMatchObject({
      code: Code.DeadlineExceeded,
      reason: "DEADLINE_EXCEEDED",
    });
    await server.close(0);
  });

  test("keeps the caller's own deadline when it is shorter, and aborts the handler's signal", async () => {
    const aborted = Promise.withResolvers<unknown>();
    await using server = await startStubServer({
      fraud: {
        getCheck: (_, context) => {
          context.signal.addEventListener("abort", () => aborted.resolve(context.signal.reason));
          return new Promise(() => undefined);
        },
      },
    });
    const headers =
      protocol === "Connect" ? { "connect-timeout-ms": "50" } : { "grpc-timeout": "50m" };
    const answer = await send(server.address, getCheck, bytes, { headers });
    expect(answer.code).toBe(Code.DeadlineExceeded);
    expect(ConnectError.from(await aborted.promise).code).toBe(Code.DeadlineExceeded);
    await server.close(0);
  });
});

test("a stream ends as UNAVAILABLE at the server's limit, so that its client opens it again", async () => {
  await using server = await startStubServer({}, { limits: { streamMs: 50 } });
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.address}` }));
  const seen: number[] = [];
  const error = await (async () => {
    for await (const { status } of client.watch({})) seen.push(status);
  })().catch((error: unknown) => ConnectError.from(error));
  expect(seen).toEqual([1]);
  expect(error?.code).toBe(Code.Unavailable);
  expect(reasonOf(error)).toBe("STREAM_EXPIRED");
});

test("a stream outlives the limit of unary calls", async () => {
  await using server = await startStubServer(
    {},
    { limits: { unaryMs: 20, requestMs: 200, headersMs: 100 } },
  );
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.address}` }));
  const error = await (async () => {
    for await (const _ of client.watch({}, { timeoutMs: 1_200 }));
  })().catch((error: unknown) => ConnectError.from(error));
  // The caller's deadline ended it, not the server's.
  expect(error?.code).toBe(Code.DeadlineExceeded);
});

test("a handler that fails after its deadline does not end the process and is still awaited by the drain", async () => {
  const kept = keepingLog();
  const late = Promise.withResolvers<never>();
  const server = await startStubServer(
    { fraud: { getCheck: () => late.promise } },
    { limits: { unaryMs: 20 }, log: kept.log },
  );
  const answer = await rawProtocols.gRPC(server.address, getCheck, Buffer.from([0x0a, 1, 0x61]));
  expect(answer.code).toBe(Code.DeadlineExceeded);
  let closed = false;
  const closing = server.close(60_000).then(() => {
    closed = true;
  });
  await fetch(`http://${server.address}/healthz`).catch(() => undefined);
  expect(closed).toBe(false);
  late.reject(new Error("too late"));
  await closing;
});
