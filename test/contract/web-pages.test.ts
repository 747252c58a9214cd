import http from "node:http";
import http2 from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { developmentAuthority } from "#kit/auth/authority.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { pathOf, rawProtocols } from "#test/support/raw-rpc.ts";
import { keepingLog, startStubServer } from "#test/support/stub-server.ts";

const { getCheck } = FraudService.method;
const RPC = pathOf(getCheck);
const REST = "/v1/fraud/settings";
const BODY = '{"checkId":"a"}';

let changed = 0;
const kept = keepingLog();
let server: RpcServer;
beforeAll(async () => {
  server = await startStubServer(
    {
      fraud: {
        getCheck: ({ checkId }) => {
          changed += 1;
          return { check: { checkId } };
        },
        getSettings: () => ({ settings: {} }),
        submitDecision: () => {
          changed += 1;
          return {};
        },
      },
    },
    {
      log: kept.log,
      origins: ["https://shop.example"],
      security: { authority: developmentAuthority(), hosts: ["stack.internal"] },
      http(request, response) {
        if (request.url !== "/callbacks/a") return false;
        changed += 1;
        response.writeHead(200).end();
        return true;
      },
    },
  );
});
afterAll(() => server.close(0));

interface Sent {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

/** A request with any Host, which fetch does not let one choose. */
function send(path: string, { method = "POST", headers = {}, body = BODY }: Sent = {}) {
  const { host, port } = server;
  const all = { "content-type": "application/json", ...headers };
  const isSafe = method === "GET";
  return new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const request = http.request({ host, port, path, method, headers: all }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.once("error", reject);
    request.end(isSafe ? undefined : body);
  });
}

describe("a page that leads its own name here (DNS rebinding)", () => {
  test.each([
    ["an RPC", RPC, "POST"],
    ["REST, also where it only reads", REST, "GET"],
    ["a callback", "/callbacks/a", "POST"],
    ["metrics", "/metrics", "GET"],
  ])("is refused by its Host: %s", async (_, path, method) => {
    const before = changed;
    for (const host of [
      "evil.example",
      "evil.example:8080",
      "127.0.0.1.evil.example",
      "10.0.0.1",
    ]) {
      const { status, text } = await send(path, { method, headers: { host } });
      expect([status, text]).toEqual([403, expect.stringContaining("HOST_NOT_ALLOWED")]);
    }
    expect(changed).toBe(before);
  });

  test("is refused over HTTP/2 too", async () => {
    const session = http2.connect(`http://${server.address}`, {});
    const stream = session.request({ ":path": REST, ":authority": "evil.example" });
    const status = await new Promise((resolve) =>
      stream.once("response", (headers) => resolve(headers[":status"])),
    );
    session.destroy();
    expect(status).toBe(403);
  });

  test.each(["localhost:8080", "127.0.0.1", "[::1]:8080", "stack.internal", "app.localhost"])(
    "is not taken for one of %s",
    async (host) => {
      expect((await send(RPC, { headers: { host } })).status).toBe(200);
    },
  );
});

describe("a page of another origin", () => {
  test.each([
    ["an RPC", RPC],
    ["REST", "/v1/fraud/decisions"],
    ["a callback", "/callbacks/a"],
  ])("changes nothing: %s", async (_, path) => {
    const before = changed;
    for (const origin of ["https://evil.example", "null", "http://localhost.evil.example"]) {
      const { status, text } = await send(path, { headers: { origin } });
      expect([status, text]).toEqual([403, expect.stringContaining("ORIGIN_NOT_ALLOWED")]);
    }
    const site = { "sec-fetch-site": "cross-site" };
    expect((await send(path, { headers: site })).status).toBe(403);
    expect(changed).toBe(before);
  });

  test("is in the security log, with its address and what it was after", async () => {
    await send(RPC, { headers: { origin: "https://evil.example" } });
    expect(kept.lines).toContainEqual(
      expect.objectContaining({
        security: "page_refused",
        source: "127.0.0.1",
        target: RPC,
        reason: "ORIGIN_NOT_ALLOWED",
      }),
    );
  });

  test.each(["http://localhost:5173", "https://shop.example", "http://stack.internal:8080"])(
    "may call when it is of this machine, of the list, or of the very host it calls: %s",
    async (origin) => {
      const headers = { origin, host: new URL(origin).host };
      const host = origin.includes("stack") ? headers : { origin };
      expect((await send(RPC, { headers: host })).status).toBe(200);
    },
  );
});

describe("a request that a page may send without asking first", () => {
  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"])(
    "is refused where it would change something: %s",
    async (type) => {
      const before = changed;
      for (const path of [RPC, "/v1/fraud/decisions"]) {
        for (const body of [BODY, ""]) {
          expect((await send(path, { headers: { "content-type": type }, body })).status).toBe(415);
        }
      }
      expect(changed).toBe(before);
    },
  );
});

test.each(Object.entries(rawProtocols))(
  "a caller that is no browser goes on working over %s",
  async (name, sendRaw) => {
    const bytes = name === "Connect JSON" ? Buffer.from(BODY) : Buffer.from([0x0a, 1, 0x61]);
    expect((await sendRaw(server.address, getCheck, bytes)).code).toBeUndefined();
  },
);
