import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RpcServer } from "#kit/rpc/server.ts";
import { frame } from "#test/support/raw-rpc.ts";
import { startStubServer } from "#test/support/stub-server.ts";

const PATH = "/fraud.v1.FraudService/GetCheck";
/** Its prefix announces more than the limit, so the server answers at once and reads no further. */
const LARGE = Buffer.concat([frame(new Uint8Array()).fill(0x20, 1), Buffer.alloc(300_000)]);
const SMALL = frame(Buffer.from([0x0a, 0x01, 0x61]));
const HEADERS = { "content-type": "application/grpc-web+proto" };
/** More than a connection may have open at once. */
const STREAMS = 200;
const AT_ONCE = 20;

let server: RpcServer;

beforeAll(async () => {
  server = await startStubServer({
    fraud: { getCheck: ({ checkId }) => ({ check: { checkId } }) },
  });
});

afterAll(() => server.close(0));

test("HTTP/1: after a body that was not read to its end, the connection answers the next request or is closed", async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const body of [LARGE, SMALL, LARGE, LARGE, SMALL]) {
      expect(await post(agent, body)).toBe(200);
    }
  } finally {
    agent.destroy();
  }
});

test("HTTP/1: a body without an end does not keep the connection", async () => {
  const request = http.request(`http://${server.address}${PATH}`, {
    method: "POST",
    headers: HEADERS,
  });
  const closed = new Promise((resolve) => {
    request.once("close", resolve);
    request.once("error", resolve);
  });
  const more = setInterval(() => request.write(LARGE), 1);
  request.once("response", (response) => response.resume());
  await closed;
  clearInterval(more);
  request.destroy();
});

test("HTTP/2: streams whose bodies were not read to their end make room for others", async () => {
  const session = http2.connect(`http://${server.address}`);
  try {
    for (let sent = 0; sent < STREAMS; sent += AT_ONCE) {
      const answers = Array.from({ length: AT_ONCE }, () => stream(session, LARGE));
      expect(await Promise.all(answers)).toEqual(Array.from({ length: AT_ONCE }, () => 200));
    }
    expect(await stream(session, SMALL)).toBe(200);
  } finally {
    session.destroy();
  }
});

/** Sends again on a new connection when the old one was closed in between, as every client does. */
async function post(agent: http.Agent, body: Buffer): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await postOnce(agent, body);
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

async function postOnce(agent: http.Agent, body: Buffer): Promise<number> {
  const options = { agent, method: "POST", headers: { ...HEADERS, "content-length": body.length } };
  const request = http.request(`http://${server.address}${PATH}`, options);
  request.end(body);
  const [response] = await once(request, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

async function stream(session: http2.ClientHttp2Session, body: Buffer): Promise<number> {
  const sent = session.request({ ...HEADERS, ":method": "POST", ":path": PATH });
  sent.end(body);
  sent.resume();
  const [headers] = await once(sent, "response");
  return headers[":status"];
}
