import http from "node:http";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RequestInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { run } from "#test/support/rpc-clients.ts";
import { keepingLog, startStubServer } from "#test/support/stub-server.ts";

const kept = keepingLog();
let server: RpcServer;
let url: string;
beforeAll(async () => {
  server = await startStubServer(
    { fraud: { getCheck: ({ checkId }) => ({ check: { checkId } }) } },
    {
      log: kept.log,
      http: (request, response) => {
        if (request.url === "/broken") throw new Error("a secret of the inside");
        if (request.url !== "/callbacks/here") return false;
        // Read to its end first: an answer before that lets curl 7.88 trip over the reset of the stream.
        request.resume().on("end", () => {
          response.writeHead(200).end(`${request.method} over ${request.httpVersion}`);
        });
        return true;
      },
    },
  );
  url = `http://${server.address}`;
});
afterAll(() => server.close(0));

const GET_CHECK = "/fraud.v1.FraudService/GetCheck";
const post = (path: string, headers: Record<string, string>, body = '{"checkId":"a"}') =>
  fetch(`${url}${path}`, { method: "POST", headers, body });

test.each(["--http1.1", "--http2-prior-knowledge"])(
  "/healthz and /readyz answer, curl %s",
  async (flag) => {
    expect((await run("curl", ["-sS", flag, `${url}/healthz`])).stdout).toBe("ok\n");
    expect((await run("curl", ["-sS", flag, `${url}/readyz?verbose`])).stdout).toBe("ok\n");
  },
);

test.each([
  ["--http1.1", "1.1"],
  ["--http2-prior-knowledge", "2.0"],
])("a service's own path is answered by the service, curl %s", async (flag, version) => {
  const { stdout } = await run("curl", ["-sS", flag, "-d", "{}", `${url}/callbacks/here`]);
  expect(stdout).toBe(`POST over ${version}`);
});

test("a handler of plain HTTP that throws is a 500 that tells nothing, and is logged", async () => {
  const response = await fetch(`${url}/broken`);
  expect(response.status).toBe(500);
  expect(await response.text()).toBe("internal error\n");
  expect(kept.lines).toContainEqual(expect.objectContaining({ level: "error", path: "/broken" }));
});

describe("what is no RPC of this port", () => {
  test("is a 404 with a JSON body for Connect and plain HTTP", async () => {
    const response = await post("/a.B/C", { "content-type": "application/json" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "unimplemented" });
  });

  test.each(["application/grpc", "application/grpc-web+proto"])(
    "is UNIMPLEMENTED for %s",
    async (type) => {
      const response = await post("/a.B/C%0d%0aX", { "content-type": type });
      expect(response.status).toBe(200);
      expect(response.headers.get("grpc-status")).toBe("12");
    },
  );

  test("is a 415 when the content type is none of ours", async () => {
    expect((await post(GET_CHECK, { "content-type": "text/plain" })).status).toBe(415);
    expect((await post(GET_CHECK, { "content-type": "application/grpc+thrift" })).status).toBe(415);
  });

  test("is a 405 when the method is none of ours", async () => {
    expect((await fetch(`${url}${GET_CHECK}`, { method: "PUT", body: "{}" })).status).toBe(405);
  });

  test("is a 400 when the host is no host", async () => {
    const { stdout } = await run("curl", [
      ...["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: :::", "-d", "{}"],
      ...["-H", "content-type: application/json", `${url}${GET_CHECK}`],
    ]);
    expect(stdout).toBe("400");
  });
});

describe("a path that nobody answers", () => {
  const REQUEST = { "x-request-id": "r-1" };

  test.each([
    ["REST", "/v1/nothing", "GET", {}],
    ["Connect", "/a.B/C", "POST", { "content-type": "application/json" }],
  ])("is refused with reason and request id in JSON, as %s", async (_, path, method, type) => {
    const response = await fetch(`${url}${path}`, { method, headers: { ...REQUEST, ...type } });
    expect([response.status, response.headers.get("x-request-id")]).toEqual([404, "r-1"]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    expect(text).toContain("no such path or RPC");
    // Connect's details are bytes with a readable copy beside them; REST's are JSON.
    expect(text).toContain("PATH_UNKNOWN");
    expect(text).toContain("r-1");
  });

  test.each(["application/grpc", "application/grpc-web+proto"])(
    "is refused with reason and request id in the trailers of %s",
    async (type) => {
      const response = await post("/a.B/C", { "content-type": type, ...REQUEST });
      const error = findTrailerError(response.headers);
      expect(error && reasonOf(error)).toBe("PATH_UNKNOWN");
      expect(error?.findDetails(RequestInfoSchema)[0]?.requestId).toBe("r-1");
    },
  );
});

describe("a request of another form is understood", () => {
  test.each(["/healthz", "/v1/fraud/checks/a", "/nothing"])(
    "whose target is a whole URL: %s",
    async (path) => {
      const text = await new Promise<string>((resolve, reject) => {
        const options = { host: server.host, port: server.port, path: `${url}${path}` };
        const request = http.get(options, (response) => resolve(`${response.statusCode}`));
        request.once("error", reject);
      });
      expect(text).toBe(`${(await fetch(`${url}${path}`)).status}`);
    },
  );

  test("whose target is a whole URL of another host, which counts and not the Host header", async () => {
    const status = await new Promise((resolve, reject) => {
      const options = { host: server.host, port: server.port, path: "http://evil.example/metrics" };
      const request = http.get(options, (response) => resolve(response.statusCode));
      request.once("error", reject);
    });
    expect(status).toBe(403);
  });

  test.each([
    'application/json; charset="utf-8"',
    "application/json;charset=UTF-8",
    'application/json ; charset="UTF8"',
  ])("whose charset is written so: %s", async (type) => {
    expect((await post(GET_CHECK, { "content-type": type })).status).toBe(200);
  });

  test("and another charset is not", async () => {
    const type = 'application/json; charset="latin1"';
    expect((await post(GET_CHECK, { "content-type": type })).status).toBe(415);
  });
});

test("no cache may keep an answer or an error, for some show secrets", async () => {
  const answers = [
    await post(GET_CHECK, { "content-type": "application/json" }),
    await post(GET_CHECK, { "content-type": "application/json" }, "{"),
    await fetch(`${url}/v1/fraud/checks/a`),
    await fetch(`${url}/v1/fraud/checks`),
    await fetch(`${url}/v1/fraud/checks/a`, { method: "DELETE" }),
  ];
  expect(answers.map(({ headers }) => headers.get("cache-control"))).toEqual(
    answers.map(() => "no-store"),
  );
});

describe("a browser", () => {
  const preflight = (origin: string) =>
    fetch(`${url}${GET_CHECK}`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,connect-protocol-version,x-grpc-web",
      },
    });

  test.each(["http://localhost:5173", "http://127.0.0.1:3000", "https://[::1]:8443"])(
    "of %s may call: the preflight and the answer say so",
    async (origin) => {
      const asked = await preflight(origin);
      expect(asked.status).toBe(204);
      expect(asked.headers.get("access-control-allow-origin")).toBe(origin);
      expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
      const allowed = asked.headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
      for (const header of [
        "content-type",
        "connect-protocol-version",
        "x-grpc-web",
        "x-request-id",
      ]) {
        expect(allowed).toContain(header);
      }
      const answered = await post(GET_CHECK, { origin, "content-type": "application/json" });
      expect(answered.status).toBe(200);
      expect(answered.headers.get("access-control-allow-origin")).toBe(origin);
      const exposed = answered.headers.get("access-control-expose-headers")?.toLowerCase();
      expect(exposed).toContain("grpc-status-details-bin");
      expect(exposed).toContain("x-request-id");
    },
  );

  test.each([
    "https://example.com",
    "http://localhost.example.com",
    "http://127.0.0.1.nip.io",
    "null",
  ])("of %s may not: nothing allows it", async (origin) => {
    const asked = await preflight(origin);
    expect(asked.headers.get("access-control-allow-origin")).toBeNull();
    const answered = await post(GET_CHECK, { origin, "content-type": "application/json" });
    expect(answered.headers.get("access-control-allow-origin")).toBeNull();
  });
});
