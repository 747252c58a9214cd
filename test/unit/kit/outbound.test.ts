import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ForbiddenTarget, postOutbound, type Resolve, targetFault } from "#kit/outbound.ts";
import { isPublicAddress } from "#kit/public-address.ts";

const PRIVATE = { allowPrivate: true, allowHttp: true };
const STRICT = { allowPrivate: false, allowHttp: true };

let server: http.Server;
let port = 0;
let seen: { host: string | undefined; body: string }[] = [];
let handle: (response: http.ServerResponse) => void = (response) => response.end("ok");

beforeAll(async () => {
  server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      seen.push({ host: request.headers.host, body });
      handle(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A listening TCP server has an address of this kind.
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function post(host: string, policy = PRIVATE, resolve?: Resolve, signal?: AbortSignal) {
  seen = [];
  return postOutbound({
    url: `http://${host}:${port}/hooks`,
    headers: {},
    body: "hello",
    policy,
    signal: signal ?? AbortSignal.timeout(5_000),
    ...(resolve && { resolve }),
  });
}

describe("a name", () => {
  test("is resolved once and its address is kept for the connection, so that rebinding changes nothing", async () => {
    const answers = ["127.0.0.1", "10.0.0.1"];
    const resolve = vi.fn(async () => [answers.shift() ?? ""]);
    expect(await post("hooks.example.test", PRIVATE, resolve)).toMatchObject({ status: 200 });
    expect(resolve).toHaveBeenCalledTimes(1);
    expect(seen).toEqual([{ host: `hooks.example.test:${port}`, body: "hello" }]);
  });

  test.each([
    [["127.0.0.1"]],
    [["169.254.169.254"]],
    [["::1"]],
    [["10.1.2.3"]],
    [["93.184.215.14", "10.1.2.3"]],
    [["::ffff:127.0.0.1"]],
    [["64:ff9b::7f00:1"]],
  ])("that leads to %j is not connected to", async (addresses) => {
    const call = post("hooks.example.test", STRICT, async () => addresses);
    await expect(call).rejects.toBeInstanceOf(ForbiddenTarget);
    expect(seen).toEqual([]);
  });

  test("that is not answered for in time ends the request in time", async () => {
    const forever = (): Promise<readonly string[]> => new Promise(() => undefined);
    const call = post("hooks.example.test", STRICT, forever, AbortSignal.timeout(20));
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

describe("a target", () => {
  test.each(["127.0.0.1", "0x7f.1", "2130706433", "localhost", "127.1", "a.internal"])(
    "written as %s is not connected to",
    async (host) => {
      await expect(post(host, STRICT)).rejects.toBeInstanceOf(ForbiddenTarget);
      expect(seen).toEqual([]);
    },
  );

  test("without TLS is not connected to unless it is allowed", async () => {
    const policy = { allowPrivate: true, allowHttp: false };
    await expect(post("127.0.0.1", policy)).rejects.toBeInstanceOf(ForbiddenTarget);
  });

  test("that answers without end is cut off, and its status counts", async () => {
    handle = (response) => {
      response.writeHead(202);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
      };
      response.on("drain", more);
      more();
    };
    const cut = new Promise<void>((resolve) =>
      server.once("connection", (socket) => socket.once("close", () => resolve())),
    );
    expect(await post("127.0.0.1")).toMatchObject({ status: 202 });
    await cut;
  });

  test("that never answers ends with the signal", async () => {
    handle = () => undefined;
    const call = post("127.0.0.1", PRIVATE, undefined, AbortSignal.timeout(50));
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("with a header over 16 KiB is an error, not memory", async () => {
    handle = (response) => response.writeHead(200, { "x-large": "a".repeat(20_000) }).end();
    await expect(post("127.0.0.1")).rejects.toMatchObject({ code: "HPE_HEADER_OVERFLOW" });
  });
});

describe("targetFault", () => {
  test.each([
    "https://example.com/\r\nhook",
    "https://exam\nple.com/",
    "https://example.com/\t",
    " https://example.com/",
    "https://example.com/\u0085",
    "https://example.com/\u2028",
  ])("%j is refused, not cleaned up in silence", (url) => {
    expect(targetFault(url, PRIVATE)).toContain("control characters");
  });

  test("an address that a cloud answers itself is refused by its look, not only when it is used", () => {
    expect(targetFault("https://168.63.129.16/", STRICT)).toContain("public internet");
  });
});

describe("isPublicAddress", () => {
  test.each([
    ...["0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"],
    ...["172.31.255.255", "192.168.1.1", "198.18.0.1", "203.0.113.1", "224.0.0.1"],
    ...["255.255.255.255", "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fd12::1", "ff02::1"],
    ...["::ffff:8.8.8.8", "64:ff9b::808:808", "2001:db8::1", "2002:7f00:1::", "2001::1"],
    ...["", "example.com", "1.2.3", "127.0.0.1 ", "168.63.129.16", "::ffff:168.63.129.16"],
  ])("%s is not", (address) => expect(isPublicAddress(address)).toBe(false));

  test.each(["1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"])(
    "%s is",
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
});
