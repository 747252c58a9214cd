import { gzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { type RawSend, rawProtocols } from "#test/support/raw-rpc.ts";
import { keepingLog, startStubServer } from "#test/support/stub-server.ts";

const { getCheck, evaluate } = FraudService.method;
const kept = keepingLog();
let server: RpcServer;
let handled = 0;

beforeAll(async () => {
  server = await startStubServer(
    {
      fraud: {
        getCheck: ({ checkId }) => {
          handled += 1;
          return { check: { checkId } };
        },
      },
    },
    { log: kept.log },
  );
});

afterAll(() => server.close(0));

const text = (value: string): Buffer => Buffer.from(value);
const MALFORMED = { code: Code.InvalidArgument, reason: "MALFORMED_MESSAGE" };
const TOO_LARGE = { code: Code.ResourceExhausted, reason: "MESSAGE_TOO_LARGE" };

const brokenBinary: Readonly<Record<string, Buffer>> = {
  "garbage bytes": Buffer.from("fffefdfcfbfa", "hex"),
  "a field that ends early": Buffer.from([0x0a, 0x20, 0x61]),
  "a truncated varint": Buffer.from([0x08, 0xff]),
  "a varint of eleven bytes": Buffer.from([0x08, ...Array.from({ length: 10 }, () => 0xff), 1]),
  "broken UTF-8 in a string": Buffer.from([0x0a, 0x02, 0xc3, 0x28]),
  "a wire type that does not exist": Buffer.from([0x0f]),
  "a group that never ends": Buffer.from([0x0b]),
};

const brokenJson: Readonly<Record<string, Buffer>> = {
  "no JSON": text("hello"),
  "JSON cut off": text('{"checkId": "a'),
  "another type": text('{"checkId": 5}'),
  "an array for a message": text("[]"),
  "broken UTF-8": Buffer.concat([text('{"checkId":"'), Buffer.from([0xc3, 0x28]), text('"}')]),
};

const brokenAmounts: Readonly<Record<string, string>> = {
  "an int64 above the range": '"9223372036854775808"',
  "an int64 below the range": '"-9223372036854775809"',
  "an object": "{}",
};

/** What is no whole number by protobuf's JSON; a lax reader takes most of these. */
const laxAmounts: Readonly<Record<string, string>> = {
  "a fraction": "1.5",
  "a word": '"ten"',
  "a hexadecimal number": '"0x10"',
  "a binary number": '"0b11"',
  "a number between spaces": '" 100 "',
  "a number with a plus": '"+5"',
  "a number behind a new line": '"\\n7"',
  "a fraction that the nearest double hides": "999999999999999.9999",
};

describe.each(Object.entries(rawProtocols))("%s", (name, send: RawSend) => {
  const broken = name === "Connect JSON" ? brokenJson : brokenBinary;
  const whole = name === "Connect JSON" ? text('{"checkId":"a"}') : Buffer.from([0x0a, 0x01, 0x61]);

  test("a message that parses reaches the handler", async () => {
    const before = handled;
    expect(await send(server.address, getCheck, whole)).toMatchObject({ code: undefined });
    expect(handled).toBe(before + 1);
  });

  test.each(Object.entries(broken))("%s is INVALID_ARGUMENT and runs nothing", async (_, bytes) => {
    const before = handled;
    expect(await send(server.address, getCheck, bytes)).toMatchObject(MALFORMED);
    expect(handled).toBe(before);
  });

  test("bytes that are no gzip are INVALID_ARGUMENT", async () => {
    const options = { gzipped: true };
    expect(await send(server.address, getCheck, text("no gzip"), options)).toMatchObject(MALFORMED);
  });

  test("gzip that is cut off is INVALID_ARGUMENT", async () => {
    const bytes = gzipSync(whole).subarray(0, 12);
    const options = { gzipped: true };
    expect(await send(server.address, getCheck, bytes, options)).toMatchObject(MALFORMED);
  });

  test("a message of 64 KiB and one byte is RESOURCE_EXHAUSTED", async () => {
    const bytes = Buffer.alloc(64 * 1024 + 1, 0x20);
    expect(await send(server.address, getCheck, bytes)).toMatchObject(TOO_LARGE);
  });

  test("a message that unpacks to a thousand times its size is RESOURCE_EXHAUSTED before it is unpacked", async () => {
    // Zeros shrink a thousandfold: 32 MiB are 32 KiB on the wire.
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(64 * 1024);
    const options = { gzipped: true };
    expect(await send(server.address, getCheck, bomb, options)).toMatchObject(TOO_LARGE);
  });

  test("a compression nobody knows is UNIMPLEMENTED", async () => {
    const header = name.startsWith("Connect") ? "content-encoding" : "grpc-encoding";
    const options = { headers: { [header]: "zip" } };
    const answer = await send(server.address, getCheck, whole, options);
    expect(answer.code).toBe(Code.Unimplemented);
  });

  test("a deadline that is none is INVALID_ARGUMENT", async () => {
    const header = name.startsWith("Connect") ? "connect-timeout-ms" : "grpc-timeout";
    const options = { headers: { [header]: "soon" } };
    const answer = await send(server.address, getCheck, whole, options);
    expect(answer.code).toBe(Code.InvalidArgument);
  });

  test("a tenant that cannot be one is INVALID_ARGUMENT before the message is read", async () => {
    const options = { headers: { "settle-tenant": "../other" } };
    const answer = await send(server.address, getCheck, Buffer.from([0xff]), options);
    expect(answer).toMatchObject({ code: Code.InvalidArgument, reason: "INVALID_FIELD" });
  });
});

test.each(Object.entries(brokenAmounts))("%s for minor_units names the field", async (_, json) => {
  const body = text(`{"checkId":"a","amount":{"currencyCode":"USD","minorUnits":${json}}}`);
  const answer = await rawProtocols["Connect JSON"](server.address, evaluate, body);
  expect(answer).toMatchObject(MALFORMED);
  expect(answer.message).toContain("minor_units");
});

describe.each(["Connect JSON", "gRPC-Web JSON", "gzip"])("by %s", (way) => {
  const ask = (json: string) => askIn(way, json);

  test.each(Object.entries(laxAmounts))(
    "%s for minor_units is refused by its field",
    async (_, value) => {
      const json = `{"checkId":"a","amount":{"currencyCode":"USD","minorUnits":${value}}}`;
      expect(await ask(json)).toContain("amount.minor_units");
    },
  );

  test("a key that is written twice is refused by its name, and a byte order mark as no JSON", async () => {
    expect(await ask('{"checkId":"a","checkId":"b"}')).toContain("checkId");
    expect(decodeURIComponent(await ask('\ufeff{"checkId":"a"}'))).toContain("not valid JSON");
  });

  test("numbers that are whole however they are written are taken", async () => {
    const json = '{"checkId":"a","amount":{"currencyCode":"USD","minorUnits":1e3}}';
    expect(await ask(json)).not.toContain("minor_units");
  });
});

test("a GET is read as strictly", async () => {
  expect(await askIn("a GET", '{"checkId":"a"}')).toBe('{"check":{"checkId":"a"}}');
  expect(await askIn("a GET", '{"checkId":"a","checkId":"b"}')).toContain("INVALID_FIELD");
  expect(await askIn("a GET", '\ufeff{"checkId":"a"}')).toContain("MALFORMED_MESSAGE");
});

/** The text of the answer to Evaluate, or to GetCheck by GET, whatever it is. */
async function askIn(way: string, json: string): Promise<string> {
  const url = `http://${server.address}/fraud.v1.FraudService/Evaluate`;
  const envelope = Buffer.concat([Buffer.alloc(5), text(json)]);
  envelope.writeUInt32BE(envelope.byteLength - 5, 1);
  const post = async (type: string, body: Buffer, headers: Record<string, string> = {}) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body: new Uint8Array(body),
    });
    return `${await response.text()} ${response.headers.get("grpc-message") ?? ""}`;
  };
  switch (way) {
    case "a GET": {
      const query = new URLSearchParams({ connect: "v1", encoding: "json", message: json });
      return (await fetch(`${url.replace("Evaluate", "GetCheck")}?${query}`)).text();
    }
    case "gzip":
      return post("application/json", gzipSync(json), { "content-encoding": "gzip" });
    case "gRPC-Web JSON":
      return post("application/grpc-web+json", envelope);
    default:
      return post("application/json", text(json));
  }
}

test("a GET with a message that is no base64 is INVALID_ARGUMENT", async () => {
  const url = `http://${server.address}/fraud.v1.FraudService/GetCheck?connect=v1&encoding=proto&base64=1&message=%21%21`;
  const response = await fetch(url);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: "invalid_argument" });
});

test("nothing a caller sent was logged as a bug", () => {
  expect(kept.lines.length).toBeGreaterThan(0);
  expect(kept.lines.filter((line) => line.level === "error")).toEqual([]);
});
