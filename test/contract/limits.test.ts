import http2 from "node:http2";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { RetryInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { developmentAuthority } from "#kit/auth/authority.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import {
  connectRaw,
  END_HEADERS,
  END_STREAM,
  FRAME,
  h2Frame,
  postHeaders,
} from "#test/support/raw-http2.ts";
import { frame, pathOf, rawProtocols } from "#test/support/raw-rpc.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const { getCheck } = FraudService.method;
const GRPC = [["content-type", "application/grpc"]] as const;
const ENHANCE_YOUR_CALM = http2.constants.NGHTTP2_ENHANCE_YOUR_CALM;

const clientOf = (server: RpcServer) =>
  createClient(FraudService, createGrpcTransport({ baseUrl: `http://${server.address}` }));

/** A handler that answers when the test says so. */
function gated() {
  const waiting: (() => void)[] = [];
  let begun = 0;
  return {
    get begun() {
      return begun;
    },
    openAll: () => {
      for (const open of waiting.splice(0)) open();
    },
    getCheck: async ({ checkId }: { checkId: string }) => {
      begun += 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return { check: { checkId } };
    },
  };
}

async function begunCalls(gate: { readonly begun: number }, calls: number): Promise<void> {
  while (gate.begun < calls) await new Promise(setImmediate);
}

const failureOf = async (call: Promise<unknown>): Promise<ConnectError> =>
  call.then(
    () => Promise.reject(new Error("was not refused")),
    (error: unknown) => ConnectError.from(error),
  );

describe("an HTTP/2 peer", () => {
  let server: RpcServer;
  beforeAll(async () => {
    server = await startStubServer(
      { fraud: { getCheck: ({ checkId }) => ({ check: { checkId } }) } },
      { limits: { controlFramesMax: 100, resetsBurst: 50, resetsPerSecond: 1 } },
    );
  });
  afterAll(() => server.close(0));

  const goesOn = async () => expect(await clientOf(server).getCheck({ checkId: "a" })).toBeTruthy();

  test("that resets what it opens is cut off, and others go on", async () => {
    using peer = await connectRaw(server.address);
    const block = postHeaders(pathOf(getCheck), GRPC);
    for (let each = 0; each < 500 && !peer.socket.destroyed; each += 1) {
      const stream = 2 * each + 1;
      await peer.write(
        Buffer.concat([
          h2Frame(FRAME.headers, END_HEADERS, stream, block),
          h2Frame(FRAME.reset, 0, stream, Buffer.from([0, 0, 0, 8])),
        ]),
      );
    }
    expect(await peer.ended).toBeGreaterThan(0);
    await goesOn();
  });

  test("that comes back to do it again is not even read, while another of its address waits and is served", async () => {
    const swarm = (from: number) =>
      Buffer.concat(
        Array.from({ length: 100 }, (_, each) => {
          const stream = 2 * (from + each) + 1;
          return Buffer.concat([
            h2Frame(FRAME.headers, END_HEADERS, stream, postHeaders(pathOf(getCheck), GRPC)),
            h2Frame(FRAME.reset, 0, stream, Buffer.from([0, 0, 0, 8])),
          ]);
        }),
      );
    using first = await connectRaw(server.address);
    for (let from = 0; from < 500 && !first.socket.destroyed; from += 100) {
      await first.write(swarm(from));
    }
    await first.ended;
    using second = await connectRaw(server.address);
    await second.write(swarm(0));
    // No GOAWAY: nobody spoke HTTP/2 with it.
    expect(await second.ended).toBe(-1);
    await goesOn();
  });

  test.each([
    ["PING", h2Frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ["SETTINGS", h2Frame(FRAME.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 9]))],
  ])("that floods us with %s frames is told to calm down and cut off", async (_, bytes) => {
    using peer = await connectRaw(server.address);
    await peer.write(Buffer.concat(Array.from({ length: 500 }, () => bytes)));
    expect(await peer.ended).toBe(ENHANCE_YOUR_CALM);
    await goesOn();
  });

  test("that never ends its header is cut off after few CONTINUATION frames", async () => {
    using peer = await connectRaw(server.address);
    await peer.write(h2Frame(FRAME.headers, 0, 1, postHeaders(pathOf(getCheck), GRPC)));
    const more = h2Frame(FRAME.continuation, 0, 1, Buffer.from([0, 1, 97, 1, 97]));
    for (let each = 0; each < 2_000 && !peer.socket.destroyed; each += 1) await peer.write(more);
    expect(await peer.ended).not.toBe(0);
    await goesOn();
  });

  test("that sends a SETTINGS frame with more entries than there are settings is cut off", async () => {
    using peer = await connectRaw(server.address);
    const entries = Buffer.concat(
      Array.from({ length: 64 }, () => Buffer.from([0, 9, 0, 0, 0, 1])),
    );
    await peer.write(h2Frame(FRAME.settings, 0, 0, entries));
    expect(await peer.ended).not.toBe(0);
    await goesOn();
  });

  test("may ping as often as it calls, because honest clients measure their connection so", async () => {
    const session = http2.connect(`http://${server.address}`);
    for (let each = 0; each < 300; each += 1) {
      const stream = session.request({ ":path": "/healthz" });
      stream.resume();
      await new Promise((resolve) => stream.once("close", resolve));
      await new Promise((resolve) => session.ping(resolve));
    }
    expect(session.destroyed).toBe(false);
    session.destroy();
  });

  test("that announces 4 GiB is refused at once, without a byte of memory for it", async () => {
    const header = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
    const session = http2.connect(`http://${server.address}`);
    const before = process.memoryUsage().rss;
    const statuses = await Promise.all(
      Array.from({ length: 32 }, () => {
        const path = { ":method": "POST", ":path": pathOf(getCheck), te: "trailers" };
        const stream = session.request({ ...path, "content-type": "application/grpc" });
        stream.resume();
        stream.write(header);
        return new Promise((resolve) => {
          const read = (headers: http2.IncomingHttpHeaders) => {
            if (headers["grpc-status"] !== undefined) resolve(headers["grpc-status"]);
          };
          stream.once("response", read);
          stream.once("trailers", read);
          stream.once("error", resolve);
        });
      }),
    );
    session.destroy();
    expect(new Set(statuses)).toEqual(new Set([`${Code.ResourceExhausted}`]));
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  });
});

test("a connection whose peer takes no answers is refused new calls before it holds too much memory", async () => {
  const checkId = "x".repeat(1_000_000);
  let begun = 0;
  await using server = await startStubServer(
    {
      fraud: {
        getCheck: () => {
          begun += 1;
          return { check: { checkId } };
        },
      },
    },
    { limits: { sessionMemoryMb: 1 } },
  );
  // Grants no window beyond the first 64 KiB, so that every answer stays with the server.
  using peer = await connectRaw(server.address);
  const block = postHeaders(pathOf(getCheck), GRPC);
  const message = frame(Buffer.from([0x0a, 1, 0x61]));
  const calls = 100;
  for (let each = 0; each < calls; each += 1) {
    const stream = 2 * each + 1;
    await peer.write(
      Buffer.concat([
        h2Frame(FRAME.headers, END_HEADERS, stream, block),
        h2Frame(FRAME.data, END_STREAM, stream, message),
      ]),
    );
    await new Promise(setImmediate);
  }
  await waitUntil(async () => peer.resets.filter((code) => code === ENHANCE_YOUR_CALM).length > 80);
  expect(begun).toBeLessThan(calls / 5);
  expect(await clientOf(server).getCheck({ checkId: "a" })).toBeTruthy();
});

test("calls that are reset as soon as they are opened are hardly begun, so that they cost little", async () => {
  const { authenticate } = developmentAuthority();
  let asked = 0;
  const authority = {
    authenticate(headers: Headers) {
      asked += 1;
      return authenticate(headers);
    },
  };
  await using server = await startStubServer({}, { security: { authority } });
  using peer = await connectRaw(server.address);
  const block = postHeaders(pathOf(getCheck), GRPC);
  const opened = Array.from({ length: 200 }, (_, each) => [
    h2Frame(FRAME.headers, END_HEADERS, 2 * each + 1, block),
    h2Frame(FRAME.reset, 0, 2 * each + 1, Buffer.from([0, 0, 0, 8])),
  ]);
  await peer.write(Buffer.concat(opened.flat()));
  await clientOf(server)
    .getCheck({ checkId: "a" })
    .catch(() => undefined);
  expect(asked).toBeLessThan(50);
});

test("a connection above the number a port takes is closed, and the others go on", async () => {
  await using server = await startStubServer({}, { limits: { connectionsMax: 2 } });
  using first = await connectRaw(server.address);
  using second = await connectRaw(server.address);
  using third = await connectRaw(server.address);
  expect(await third.ended).toBe(-1);
  expect([first.socket.destroyed, second.socket.destroyed]).toEqual([false, false]);
});

test("an HTTP/2 connection that never opens a stream is closed, also when it answers pings", async () => {
  await using server = await startStubServer({}, { limits: { unusedMs: 100, pingMs: 30 } });
  const session = http2.connect(`http://${server.address}`);
  await new Promise<void>((resolve) => session.once("close", resolve));
  expect(session.destroyed).toBe(true);
});

describe("a caller", () => {
  const limited = (limits: object, fraud: object) =>
    startStubServer(
      { fraud },
      {
        security: {
          authority: developmentAuthority(),
          callerLimits: { perSecond: 0, burst: 1, inFlight: 0, waiting: 0, ...limits },
        },
      },
    );

  test("over its rate is refused before any effect, with the time to come back, in every protocol", async () => {
    let effects = 0;
    await using server = await limited(
      { perSecond: 1, burst: 2 },
      {
        getCheck: ({ checkId }: { checkId: string }) => {
          effects += 1;
          return { check: { checkId } };
        },
      },
    );
    const client = clientOf(server);
    await client.getCheck({ checkId: "a" });
    await client.getCheck({ checkId: "a" });
    const refused = await failureOf(client.getCheck({ checkId: "a" }));
    expect([refused.code, reasonOf(refused)]).toEqual([Code.ResourceExhausted, "RATE_LIMITED"]);
    const delay = refused.findDetails(RetryInfoSchema)[0]?.retryDelay;
    expect(Number(delay?.seconds) * 1_000 + Number(delay?.nanos) / 1e6).toBeGreaterThan(0);
    for (const send of Object.values(rawProtocols)) {
      const answer = await send(server.address, getCheck, new Uint8Array([0xff]));
      expect(answer.reason).toBe("RATE_LIMITED");
    }
    expect(effects).toBe(2);
  });

  test("with too many calls under way is refused until one has ended", async () => {
    const gate = gated();
    await using server = await limited({ inFlight: 2 }, gate);
    const client = clientOf(server);
    const running = [client.getCheck({ checkId: "a" }), client.getCheck({ checkId: "b" })];
    await begunCalls(gate, 2);
    expect(reasonOf(await failureOf(client.getCheck({ checkId: "c" })))).toBe("RATE_LIMITED");
    gate.openAll();
    await Promise.all(running);
    const next = client.getCheck({ checkId: "d" });
    await begunCalls(gate, 3);
    gate.openAll();
    expect((await next).check?.checkId).toBe("d");
  });

  test("that goes away gives back its place", async () => {
    const gate = gated();
    await using server = await limited({ inFlight: 1 }, gate);
    const leaving = new AbortController();
    const left = failureOf(clientOf(server).getCheck({ checkId: "a" }, leaving));
    await begunCalls(gate, 1);
    leaving.abort();
    await left;
    let next: Promise<unknown> = Promise.resolve();
    while (gate.begun < 2) {
      next = clientOf(server).getCheck({ checkId: "b" });
      next.catch(() => undefined);
      await Promise.race([next.catch(() => undefined), begunCalls(gate, 2)]);
    }
    gate.openAll();
    await next;
  });
});

test("a server above what it can do refuses with OVERLOADED before any effect, and health checks pass", async () => {
  const gate = gated();
  await using server = await startStubServer(
    { fraud: gate },
    { overload: { limitStart: 2, limitMin: 2, limitMax: 2, queueMax: 1, queueMs: 10 } },
  );
  const client = clientOf(server);
  const running = [client.getCheck({ checkId: "a" }), client.getCheck({ checkId: "b" })];
  await begunCalls(gate, 2);
  const failures = await Promise.all(
    Array.from({ length: 20 }, () => failureOf(client.getCheck({ checkId: "c" }))),
  );
  expect(new Set(failures.map(reasonOf))).toEqual(new Set(["OVERLOADED"]));
  expect(failures[0]?.findDetails(RetryInfoSchema)).toHaveLength(1);
  const transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
  expect(await createClient(Health, transport).check({})).toBeTruthy();
  expect(gate.begun).toBe(2);
  gate.openAll();
  await Promise.all(running);
});
