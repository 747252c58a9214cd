import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Example, startExample } from "#test/support/example-service.ts";

let example: Example;
beforeAll(async () => {
  example = await startExample();
});
afterAll(async () => {
  await example?.[Symbol.asyncDispose]();
});

/** Sends a request; a body that is no string is sent as JSON. */
function send(line: string, body?: unknown, headers: Record<string, string> = {}) {
  const [method = "", path = ""] = line.split(" ");
  return fetch(`http://${example.server.address}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

type Case = [line: string, body: unknown, rpc: string, message: unknown];

async function reaches(...[line, body, rpc, message]: Case): Promise<void> {
  example.seen.length = 0;
  const response = await send(line, body);
  expect(response.status, await response.clone().text()).toBe(200);
  expect(example.seen).toMatchObject([{ rpc, message }]);
}

describe("paths", () => {
  test.each<Case>([
    ["GET /v1/messages/123456", undefined, "GetMessage", { messageId: "123456" }],
    ["GET /v1/users/me/messages/1", undefined, "GetMessage", { userId: "me", messageId: "1" }],
    ["GET /v1/shelves/a/books/b", undefined, "GetNamed", { name: "shelves/a/books/b" }],
    ["GET /v1/files/a/b/c", undefined, "GetFile", { name: "a/b/c" }],
    ["GET /v1/files", undefined, "GetFile", {}],
    ["GET /v1/files/a/b:read", undefined, "ReadFile", { name: "a/b" }],
    ["GET /v1/any/thing/x", undefined, "GetAny", { name: "x" }],
    [
      "GET /v1/subs/7/KIND_LARGE",
      undefined,
      "GetSub",
      { message: { sub: { number: 7, kind: "KIND_LARGE" } } },
    ],
    ["GET /v1/messages:batchGet?ids=a", undefined, "BatchGet", { ids: ["a"] }],
    ["POST /v1/messages/m:verify", { text: "t" }, "Verify", { messageId: "m", text: "t" }],
    ["POST /v1/messages/a:b:c:verify", {}, "Verify", { messageId: "a:b:c" }],
    ["GET /v1/messages/a:b", undefined, "GetMessage", { messageId: "a:b" }],
    ["PURGE /v1/cache/x", undefined, "Purge", { name: "x" }],
    ["DELETE /v1/anything/x", undefined, "Anything", { name: "x" }],
  ])("%s", reaches);

  test.each<Case>([
    ["GET /v1/messages/a%20b%2Fc%3Ad%2B", undefined, "GetMessage", { messageId: "a b/c:d+" }],
    ["GET /v1/messages/%E2%82%AC", undefined, "GetMessage", { messageId: "€" }],
    ["GET /v1/messages/a+b", undefined, "GetMessage", { messageId: "a+b" }],
    [
      "GET /v1/shelves/a%20%2Fb/books/%E2%82%AC%3a",
      undefined,
      "GetNamed",
      { name: "shelves/a %2Fb/books/€%3a" },
    ],
    ["GET /v1/files/a%2fb/%25", undefined, "GetFile", { name: "a%2fb/%" }],
    ["GET /v1/m%65ssages/1", undefined, "GetMessage", { messageId: "1" }],
    ["POST /v1/messages/x%3Averify:verify", {}, "Verify", { messageId: "x:verify" }],
  ])("decodes %s: all of one segment, all but the reserved of several", reaches);

  test.each([
    "GET /v1/messages/",
    "GET /v1/messages/a/b",
    "GET /v1/shelves//books/b",
    "GET /v1/shelves/a/b",
    "GET /v2/messages/1",
    "POST /v1/messages/m:other/x",
  ])("%s is no path and 404", async (line) => {
    expect((await send(line)).status).toBe(404);
  });
});

describe("body", () => {
  test.each<Case>([
    [
      "PATCH /v1/messages/1",
      { text: "Hi!" },
      "UpdateField",
      { message: { messageId: "1", text: "Hi!" } },
    ],
    [
      "PATCH /v1/messages/1?update_mask=text,sub.number",
      {},
      "UpdateField",
      { updateMask: "text,sub.number" },
    ],
    [
      "PATCH /v1/messages/1?request_id=r",
      undefined,
      "UpdateField",
      { requestId: "r", message: { messageId: "1" } },
    ],
    ["PUT /v1/messages/1", { text: "Hi!" }, "UpdateAll", { messageId: "1", text: "Hi!" }],
    ["PUT /v1/messages/1", { message_id: "2" }, "UpdateAll", { messageId: "1" }],
    ["PUT /v1/messages/1", '{"size": 9007199254740993}', "UpdateAll", { size: "9007199254740993" }],
    [
      "PUT /v1/messages/1",
      { size: "-9223372036854775808" },
      "UpdateAll",
      { size: "-9223372036854775808" },
    ],
    ["POST /v1/tags", ["a", "b"], "PutTags", { tags: ["a", "b"] }],
    ["POST /pay", { amount: 2500 }, "Pay", { amountMinor: "2500" }],
    ["POST /pay", { amount: "2500" }, "Pay", { amountMinor: "2500" }],
    [
      "POST /pay",
      { amount: { currency_code: "USD", minor_units: 1 } },
      "Pay",
      { amount: { currencyCode: "USD", minorUnits: "1" } },
    ],
  ])("%s %j", reaches);

  test("is the bare field where response_body says so, also when that is empty", async () => {
    expect(await (await send("POST /v1/tags", ["a"])).json()).toEqual(["a"]);
    expect(await (await send("POST /v1/tags", [])).json()).toEqual([]);
    expect(await (await send("GET /v1/number")).json()).toBe("0");
  });

  test("is left out of a 204 and sent with a 201, where the contract says so", async () => {
    const created = await send("POST /v1/messages", { text: "t", size: 5 });
    expect([created.status, await created.json()]).toEqual([201, { text: "t", size: "5" }]);
    const deleted = await send("DELETE /v1/messages/m");
    expect([deleted.status, await deleted.text()]).toEqual([204, ""]);
  });
});

describe("query", () => {
  test.each([
    ["ids=a&ids=b&ids=", { ids: ["a", "b", ""] }],
    [
      "kinds=KIND_SMALL&kinds=2&kind=1",
      { kinds: ["KIND_SMALL", "KIND_LARGE"], kind: "KIND_SMALL" },
    ],
    ["flag=true&maybe=false", { flag: true, maybe: false }],
    [
      "int64_value=-9223372036854775808&uint64Value=18446744073709551615",
      { int64Value: "-9223372036854775808", uint64Value: "18446744073709551615" },
    ],
    ["int32_value=-1&ratio=1.5e3&limit=0", { int32Value: -1, ratio: 1500, limit: 0 }],
    ["ratio=NaN", { ratio: "NaN" }],
    ["raw=-_8%3D", { raw: "+/8=" }],
    ["raw=%2B%2F8%3D", { raw: "+/8=" }],
    ["at=2026-01-02T03:04:05.5Z&wait=1.5s", { at: "2026-01-02T03:04:05.500Z", wait: "1.500s" }],
    ["text=a+b%2Bc&count=12", { text: "a b+c", count: "12" }],
    [
      "sub.subfield=foo&sub.words=x&sub.words=y&sub.number=3",
      { sub: { subfield: "foo", words: ["x", "y"], number: 3 } },
    ],
    ["left=l", { left: "l" }],
    ["mask=a,b.c", { mask: "a,b.c" }],
    ["&&flag=true&", { flag: true }],
  ])("%s", (query, message) => reaches(`GET /v1/search?${query}`, undefined, "Search", message));

  test.each([
    ["nope=1", "nope"],
    ["sub.nope=1", "sub.nope"],
    ["sub=1", "sub"],
    ["subs=1", "subs"],
    ["labels=1", "labels"],
    ["struct=1", "struct"],
    ["labels.a=1", "labels.a"],
    ["text.value=1", "text.value"],
    ["__proto__.x=1", "__proto__.x"],
    ["constructor=1", "constructor"],
    ["kind=KIND_HUGE", "kind"],
    ["flag=1", "flag"],
    ["flag=", "flag"],
    ["int32_value=", "int32_value"],
    ["int32_value=2147483648", "int32_value"],
    ["int64_value=9223372036854775808", "int64_value"],
    ["int64_value=1.5", "int64_value"],
    ["ratio=one", "ratio"],
    ["at=yesterday", "at"],
    ["wait=5", "wait"],
    ["raw=***", "raw"],
    ["kind=1&kind=2", "kind"],
    ["left=%FF", "left=%FF"],
  ])("%s is INVALID_ARGUMENT and names %s", async (query, field) => {
    const response = await send(`GET /v1/search?${query}`);
    const { error } = await readError(response);
    expect([response.status, error.status]).toEqual([400, "INVALID_ARGUMENT"]);
    expect(error.message).toContain(field === "left=%FF" ? "%FF" : field);
  });

  test.each([
    ["GET /v1/messages/1?message_id=2", undefined],
    ["GET /v1/users/u/messages/1?userId=2", undefined],
    ["PATCH /v1/messages/1?message.text=t", {}],
    ["PUT /v1/messages/1?text=t", {}],
    ["GET /v1/search?left=1&right=2", undefined],
  ])("%s is refused: the field has its place elsewhere", async (line, body) => {
    expect((await send(line, body)).status).toBe(400);
  });
});

describe("JSON that is not the contract's", () => {
  test.each([
    ["null", "null"],
    ["an array", "[]"],
    ["a text", '"x"'],
    ["half", '{"text": "a'],
    ["a byte order mark", '\uFEFF{"text": "a"}'],
    ["an unknown field", '{"txt": "a"}'],
    ["the same field twice", '{"sub": {"number": 1}, "sub": {"number": "x"}}'],
    ["a field under both of its names", '{"message_id": "1", "messageId": "1"}'],
    ["a fraction", '{"size": 1.5}'],
    ["a fraction that the nearest double hides", '{"size": 999999999999999.9999}'],
    ["a hexadecimal number", '{"size": "0x10"}'],
    ["a number between spaces", '{"size": " 1 "}'],
    ["out of range", '{"size": 9223372036854775808}'],
    ["a deep bomb", `{"sub": ${"[".repeat(20_000)}`],
    ["a wrong type", '{"text": 5}'],
  ])("%s is INVALID_ARGUMENT", async (_, body) => {
    const response = await send("POST /v1/messages", body);
    const { error } = await readError(response);
    expect([response.status, error.code, error.status]).toEqual([400, 400, "INVALID_ARGUMENT"]);
    expect(detail(error, "ErrorInfo")).toMatchObject({ domain: "settle" });
  });

  test("names the field that does not fit", async () => {
    const { error } = await readError(await send("POST /v1/messages", { sub: { number: "x" } }));
    expect(detail(error, "BadRequest")).toMatchObject({
      fieldViolations: [{ field: "sub.number" }],
    });
  });

  test("a body where none belongs is refused, an empty object is not", async () => {
    expect((await send("DELETE /v1/messages/m", { note: "x" })).status).toBe(400);
    expect((await send("DELETE /v1/messages/m", {})).status).toBe(204);
  });
});

describe("HTTP", () => {
  test("a refusal is google.rpc.Status with its details, and Retry-After says when", async () => {
    const response = await send("POST /v1/messages", { text: "refuse" }, { "x-request-id": "r-1" });
    const { error } = await readError(response);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("2");
    expect(response.headers.get("x-request-id")).toBe("r-1");
    expect(error).toMatchObject({ code: 429, status: "RESOURCE_EXHAUSTED", message: "Too busy." });
    expect(detail(error, "ErrorInfo")).toMatchObject({
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "BUSY",
      domain: "settle",
      metadata: { who: "example" },
    });
    expect(detail(error, "RetryInfo")).toMatchObject({ retryDelay: "1.500s" });
    expect(detail(error, "RequestInfo")).toMatchObject({ requestId: "r-1" });
  });

  test("405 says which methods the path has", async () => {
    const response = await send("DELETE /v1/search");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect((await readError(response)).error).toMatchObject({ code: 405, status: "UNIMPLEMENTED" });
  });

  test("OPTIONS answers what is allowed, HEAD as GET without the body", async () => {
    const options = await send("OPTIONS /v1/messages/1");
    expect([options.status, options.headers.get("allow")]).toEqual([
      204,
      "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
    ]);
    const head = await send("HEAD /v1/messages/1");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect((await send("HEAD /v1/search?nope=1")).status).toBe(400);
  });

  test.each([
    ["text/plain"],
    ["application/x-www-form-urlencoded"],
    ["application/json; charset=latin1"],
  ])("415 for %s", async (type) => {
    const response = await send("POST /v1/messages", "{}", { "content-type": type });
    expect(response.status).toBe(415);
    const gzipped = await send("POST /v1/messages", "{}", { "content-encoding": "gzip" });
    expect(gzipped.status).toBe(415);
  });

  test("413 for a body over the limit, with and without its length told", async () => {
    const text = "x".repeat(70_000);
    expect((await send("POST /v1/messages", { text })).status).toBe(413);
    const body = new Blob([JSON.stringify({ text })]).stream();
    const chunked = await fetch(`http://${example.server.address}/v1/messages`, {
      method: "POST",
      body,
      duplex: "half",
    });
    expect(chunked.status).toBe(413);
  });

  test("hands the caller's headers, request id and deadline to the RPC", async () => {
    example.seen.length = 0;
    await send("GET /v1/messages/1", undefined, {
      cookie: "a=b",
      "settle-tenant": "acme",
      "idempotency-key": "i-1",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "x-request-id": "r-2",
      "grpc-timeout": "2S",
    });
    const [call] = example.seen;
    expect(Object.fromEntries(call?.header ?? [])).toMatchObject({
      cookie: "a=b",
      "settle-tenant": "acme",
      "idempotency-key": "i-1",
      "x-request-id": "r-2",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    expect(call?.timeoutMs).toBeGreaterThan(0);
    expect(call?.timeoutMs).toBeLessThanOrEqual(2_000);
  });

  test("a deadline that is none is refused", async () => {
    const response = await send("GET /v1/messages/1", undefined, { "grpc-timeout": "soon" });
    expect((await readError(response)).error.message).toContain("grpc-timeout");
  });

  test("credentials reach the gate, and its refusal comes through", async () => {
    const forged = await send("GET /v1/messages/1", undefined, { authorization: "Bearer forged" });
    expect([forged.status, forged.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    const response = await send("GET /v1/messages/1", undefined, {
      "settle-tenant": "not a tenant",
    });
    expect([response.status, (await readError(response)).error.status]).toEqual([
      400,
      "INVALID_ARGUMENT",
    ]);
  });
});

describe("a stream", () => {
  test("is a message a line", async () => {
    const response = await send("GET /v1/count?to=3");
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(await response.text()).toBe('{"name":"1"}\n{"name":"2"}\n{"name":"3"}\n');
  });

  test("without messages is an empty success", async () => {
    const response = await send("GET /v1/count");
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("that fails before the first message is an HTTP error, later the last line", async () => {
    expect((await send("GET /v1/count?to=3&fail_at=1")).status).toBe(429);
    const lines = (await (await send("GET /v1/count?to=3&fail_at=3")).text()).trim().split("\n");
    expect(lines.slice(0, 2)).toEqual(['{"name":"1"}', '{"name":"2"}']);
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ error: { code: 429 } });
  });
});

test("metrics count REST under the RPC it stands for", async () => {
  await send("GET /v1/messages/1");
  const text = await (await send("GET /metrics")).text();
  const name = "example.v1.ExampleService/GetMessage";
  expect(text).toMatch(new RegExp(`settle_rpc_requests_total\\{rpc="${name}",code="OK"\\} [1-9]`));
  expect(text).toMatch(new RegExp(`settle_rpc_running\\{rpc="${name}"\\} 0\\n`));
});

interface ErrorJson {
  readonly error: {
    readonly code: number;
    readonly status: string;
    readonly message: string;
    readonly details: readonly { readonly "@type": string }[];
  };
}

async function readError(response: Response): Promise<ErrorJson> {
  // JSON enters here; the shape is AIP-193's.
  return (await response.json()) as ErrorJson;
}

function detail({ details }: ErrorJson["error"], type: string): object | undefined {
  return details.find((one) => one["@type"].endsWith(`google.rpc.${type}`));
}
