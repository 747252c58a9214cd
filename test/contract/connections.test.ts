import http2 from "node:http2";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { developmentAuthority } from "#kit/auth/authority.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { frame, pathOf } from "#test/support/raw-rpc.ts";
import { startStubServer } from "#test/support/stub-server.ts";

/** The frame an HTTP/2 client begins with. */
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

const { getCheck } = FraudService.method;

/** Everything the server sends until it closes the connection. */
function untilClosed(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}

function connect(server: RpcServer): net.Socket {
  return net.connect({ host: server.host, port: server.port, noDelay: true });
}

const closed = (session: http2.ClientHttp2Session) =>
  new Promise<void>((resolve) => session.once("close", resolve));

describe("with short limits", () => {
  let server: RpcServer;
  beforeAll(async () => {
    server = await startStubServer(
      { fraud: { getCheck: ({ checkId }) => ({ check: { checkId } }) } },
      {
        limits: {
          firstBytesMs: 100,
          headersMs: 100,
          requestMs: 200,
          keepAliveMs: 100,
          unaryMs: 200,
          answerGraceMs: 100,
          idleMs: 100,
          pingMs: 50,
          concurrentStreamsMax: 2,
        },
      },
    );
  });
  afterAll(() => server.close(0));

  test("a connection that says nothing is closed", async () => {
    expect(await untilClosed(connect(server))).toBe("");
  });

  test("a connection that stops after two bytes is closed", async () => {
    const socket = connect(server);
    socket.write("PR");
    expect(await untilClosed(socket)).toBe("");
  });

  test("a header that never ends is answered 408 and closed", async () => {
    const socket = connect(server);
    socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("a body that never ends is closed", async () => {
    const socket = connect(server);
    const head = `POST ${pathOf(getCheck)} HTTP/1.1\r\nHost: a\r\nContent-Type: application/proto\r\n`;
    socket.write(`${head}Content-Length: 1000\r\n\r\nx`);
    expect(await untilClosed(socket)).not.toMatch(/ 200 /);
  });

  test("an HTTP/2 message that never ends is closed", async () => {
    const session = http2.connect(`http://${server.address}`);
    const stream = session.request({
      ":method": "POST",
      ":path": pathOf(getCheck),
      "content-type": "application/grpc",
    });
    stream.on("error", () => undefined);
    stream.write(frame(Buffer.alloc(1_000)).subarray(0, 10));
    const status = new Promise((resolve) => {
      stream.once("trailers", (trailers) => resolve(trailers["grpc-status"]));
      stream.once("close", () => resolve("closed"));
    });
    expect(await status).toBe("closed");
    session.destroy();
  });

  test("an idle HTTP/1 connection is closed", async () => {
    const socket = connect(server);
    socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("an idle HTTP/2 connection is told to go", async () => {
    const session = http2.connect(`http://${server.address}`);
    await closed(session);
    expect(session.destroyed).toBe(true);
  });

  test("a client is told how many streams it may have at once", async () => {
    const session = http2.connect(`http://${server.address}`);
    const settings = await new Promise<http2.Settings>((resolve) =>
      session.once("remoteSettings", resolve),
    );
    expect(settings.maxConcurrentStreams).toBe(2);
    session.destroy();
  });
});

test("an idle HTTP/1 connection stays open as long as the process is set to keep it", async () => {
  const authority = developmentAuthority();
  await using server = await startStubServer({}, { security: { authority, keepAliveMs: 100 } });
  const socket = connect(server);
  socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 200 .*timeout=0/s);
});

test("a port with few places left closes connections that are idle, so that others find one", async () => {
  await using server = await startStubServer({}, { limits: { connectionsMax: 2 } });
  const idle = connect(server);
  idle.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const closes = untilClosed(idle);
  await new Promise((resolve) => idle.once("data", resolve));
  const other = connect(server);
  expect(await closes).toMatch(/^HTTP\/1\.1 200 /);
  other.destroy();
});

test("an HTTP/2 peer that answers no ping is cut off", async () => {
  await using server = await startStubServer({}, { limits: { pingMs: 50 } });
  const socket = connect(server);
  socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), EMPTY_SETTINGS]));
  await untilClosed(socket);
  expect(socket.destroyed).toBe(true);
});

describe("with the real limits", () => {
  let server: RpcServer;
  beforeAll(async () => {
    server = await startStubServer({
      fraud: { getCheck: ({ checkId }) => ({ check: { checkId } }) },
    });
  });
  afterAll(() => server.close(0));

  test("a connection whose first bytes come one by one is understood, HTTP/1", async () => {
    const socket = connect(server);
    const answer = untilClosed(socket);
    for (const byte of "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") {
      await new Promise((resolve) => socket.write(byte, resolve));
      await new Promise(setImmediate);
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 200 .*ok\n/s);
  });

  test("a connection whose first bytes come one by one is understood, HTTP/2", async () => {
    const socket = connect(server);
    const first = new Promise<Buffer>((resolve) => socket.once("data", resolve));
    for (const byte of "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
      await new Promise((resolve) => socket.write(byte, resolve));
      await new Promise(setImmediate);
    }
    socket.write(EMPTY_SETTINGS);
    // The fourth byte of a frame is its type; a server begins with SETTINGS, which is 4.
    expect((await first).readUInt8(3)).toBe(4);
    socket.destroy();
  });

  test("an HTTP/1 header over 16 KiB is answered 431", async () => {
    const response = await fetch(`http://${server.address}/healthz`, {
      headers: { "x-large": "a".repeat(17 * 1024) },
    });
    expect(response.status).toBe(431);
  });

  test("an HTTP/2 header over 16 KiB ends its stream, and the connection goes on", async () => {
    const session = http2.connect(`http://${server.address}`, {
      maxSendHeaderBlockLength: 2 ** 20,
    });
    const large = session.request({ ":path": "/healthz", "x-large": "a".repeat(17 * 1024) });
    const code = await new Promise((resolve) => {
      large.on("error", () => undefined);
      large.once("response", (headers) => resolve(headers[":status"]));
      large.once("close", () => resolve("reset"));
    });
    expect(["reset", 431]).toContain(code);
    const small = session.request({ ":path": "/healthz" });
    const status = await new Promise((resolve) =>
      small.once("response", (headers) => resolve(headers[":status"])),
    );
    expect(status).toBe(200);
    session.destroy();
  });

  test("bytes of no protocol are answered 400", async () => {
    const socket = connect(server);
    socket.write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
