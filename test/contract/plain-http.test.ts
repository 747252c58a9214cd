import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
