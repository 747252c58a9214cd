import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import type { RpcLimits } from "#kit/rpc/limits.ts";
import { createOpenBodies } from "#kit/rpc/open-bodies.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { createStrangers } from "#kit/rpc/strangers.ts";
import { type KeyedAuthority, keyedAuthority } from "#test/support/keyed-authority.ts";
import { pathOf } from "#test/support/raw-rpc.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const { getCheck, updateSettings } = FraudService.method;
const RPC = pathOf(getCheck);
const REST = "/v1/fraud/settings";

const start = (authority: KeyedAuthority, limits: Partial<RpcLimits>) =>
  startStubServer(
    { fraud: { getCheck: ({ checkId }) => ({ check: { checkId } }) } },
    {
      security: { authority },
      limits,
      http(request, response, port) {
        if (request.url !== "/callbacks/a") return false;
        port.readBody(request, response, 100_000).then(
          () => response.writeHead(200).end(),
          (error: { readonly reason: string }) => response.writeHead(418).end(error.reason),
        );
        return true;
      },
    },
  );

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Sends the head of a request and a part of its body, which never ends. */
function half(
  server: RpcServer,
  path: string,
  more: { readonly method?: string; readonly authorization?: string; readonly bytes?: number } = {},
): { readonly answer: Promise<Answer>; leave(): void } {
  const { method = "POST", authorization, bytes = 10 } = more;
  const headers = {
    "content-type": "application/json",
    "content-length": "60000",
    ...(authorization === undefined ? {} : { authorization }),
  };
  const { host, port } = server;
  const request = http.request({ host, port, path, method, headers });
  request.write(Buffer.alloc(bytes, 0x20));
  const answer = new Promise<Answer>((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
  });
  answer.catch(() => undefined);
  return { answer, leave: () => request.destroy() };
}

describe("whoever may not call is told so before its body", () => {
  const authority = keyedAuthority();
  let server: RpcServer;
  beforeAll(async () => {
    server = await start(authority, {});
  });
  afterAll(() => server.close(0));

  test.each([
    ["Connect", RPC, "POST"],
    ["REST", REST, "PUT"],
  ])("without a key, over %s", async (_, path, method) => {
    const { status, text } = await half(server, path, { method }).answer;
    expect([status, text]).toEqual([401, expect.stringContaining("CREDENTIALS_MISSING")]);
  });

  test("without the role, over REST", async () => {
    authority.key("payer", "t", ["payer"]);
    const more = { method: "PUT", authorization: "Bearer payer" };
    const { status, text } = await half(server, REST, more).answer;
    expect([status, text]).toEqual([403, expect.stringContaining("ROLE_MISSING")]);
  });
});

describe("a body", () => {
  const authority = keyedAuthority();
  authority.key("operator", "t", ["operator"]);
  const authorization = "Bearer operator";

  test.each([
    // Connect has a status of its own for DEADLINE_EXCEEDED.
    ["a call", RPC, "POST", 504],
    ["REST", REST, "PUT", 408],
    ["a service's own path", "/callbacks/a", "POST", 418],
  ])("that does not arrive in time ends, of %s", async (_, path, method, expected) => {
    await using server = await start(authority, { bodyMs: 50 });
    const { status, text } = await half(server, path, { method, authorization }).answer;
    expect([status, text]).toEqual([expected, expect.stringContaining("BODY_TOO_SLOW")]);
  });

  test("takes from what the process may hold, and gives it back when its caller leaves", async () => {
    await using server = await start(authority, { heldBytesMax: 100_000 });
    const holders = [RPC, RPC].map((path) => half(server, path, { authorization, bytes: 45_000 }));
    const put = async (): Promise<string> => {
      const headers = { authorization, "content-type": "application/json" };
      const body = " ".repeat(45_000);
      const init = { method: "PUT", headers, body };
      return (await fetch(`http://${server.address}${REST}`, init)).text();
    };
    await waitUntil(async () => (await put()).includes("OVERLOADED"));
    for (const { leave } of holders) leave();
    await waitUntil(async () => (await put()).includes("MALFORMED_MESSAGE"));
  });
});

test("bodies of callers nobody knows are a few per address at once, and others come through", () => {
  const bodies = createOpenBodies(2, 3);
  const first = bodies.open("a");
  bodies.open("a");
  expect(() => bodies.open("a")).toThrow(expect.objectContaining({ reason: "RATE_LIMITED" }));
  bodies.open("b");
  expect(() => bodies.open("c")).toThrow(expect.objectContaining({ reason: "RATE_LIMITED" }));
  first();
  first();
  bodies.open("a");
  expect(() => bodies.open("c")).toThrow();
});

test("an address whose credentials are refused again and again is refused unread, while good ones pass", () => {
  let nowMs = 0;
  const strangers = createStrangers(() => nowMs);
  strangers.accepted("good");
  for (let each = 0; each < 100; each += 1) {
    strangers.check("a", `bad-${each}`);
    strangers.refused("a");
  }
  expect(() => strangers.check("a", "bad")).toThrow(
    expect.objectContaining({ reason: "RATE_LIMITED", retryAfterMs: 100 }),
  );
  strangers.check("a", "good");
  strangers.check("b", "bad");
  nowMs = 100;
  strangers.check("a", "bad");
  nowMs = 600_001;
  for (let each = 0; each < 100; each += 1) strangers.refused("a");
  expect(() => strangers.check("a", "good")).toThrow();
});

test("a flood of forged keys is not looked up, while a known key and a token of the same address are", async () => {
  const authority = keyedAuthority();
  const known = authority.key("sk_known", "t", ["reviewer"]);
  const token = authority.key("token", "t", ["reviewer"]);
  await using server = await startStubServer({}, { security: { authority } });
  const ask = async (headers: Headers): Promise<number> => {
    headers.set("content-type", "application/json");
    const init = { method: "POST", headers, body: "{}" };
    return (await fetch(`http://${server.address}${RPC}`, init)).status;
  };
  // 400: let in, and then told that it names no check.
  expect(await ask(known)).toBe(400);
  const forged = (each: number) => new Headers({ authorization: `Bearer sk_forged${each}` });
  let refused = 0;
  while ((await ask(forged(refused))) === 401) refused += 1;
  expect(refused).toBeGreaterThanOrEqual(99);
  const { asked } = authority;
  const statuses = await Promise.all(Array.from({ length: 50 }, (_, each) => ask(forged(each))));
  expect(new Set(statuses)).toContain(429);
  expect(authority.asked - asked).toBeLessThan(25);
  expect([await ask(known), await ask(token)]).toEqual([400, 400]);
});

test("a call that is refused for its role counts against its caller's rate", async () => {
  const authority = keyedAuthority();
  const headers = authority.key("payer", "t", ["payer"]);
  const callerLimits = { perSecond: 1, burst: 2, inFlight: 0, waiting: 0 };
  await using server = await startStubServer({}, { security: { authority, callerLimits } });
  headers.set("content-type", "application/json");
  const statuses: number[] = [];
  for (let each = 0; each < 3; each += 1) {
    const path = pathOf(updateSettings);
    const request = { method: "POST", headers, body: "{}" };
    statuses.push((await fetch(`http://${server.address}${path}`, request)).status);
  }
  expect(statuses).toEqual([403, 403, 429]);
});
