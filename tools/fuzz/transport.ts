import { gzipSync } from "node:zlib";
import type { Case } from "./cases.ts";
import type { Random } from "./random.ts";

type Change = Partial<Pick<Case, "verb" | "path" | "headers" | "body" | "http">>;

const CONTENT_TYPES = [
  "",
  "text/plain",
  "application/json; charset=utf-16",
  "application/json;charset=utf-8",
  "application/grpc",
  "application/grpc+json",
  "application/grpc-web-text",
  "application/grpc-web+json",
  "application/proto",
  "application/connect+json",
  "application/x-www-form-urlencoded",
  "APPLICATION/JSON",
  "application/grpc+thrift",
];
const TIMEOUTS = [
  "0",
  "-1",
  "soon",
  "1e9",
  "99999999999",
  "99999999H",
  "1n",
  "1u",
  "0m",
  "5S5S",
  " 5S",
];
const ENCODINGS = ["gzip", "br", "deflate", "zip", "identity", "gzip, gzip", ""];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { "settle-tenant": "../other" },
  { "settle-tenant": "other" },
  { "settle-tenant": "x".repeat(200) },
  { "x-request-id": "x".repeat(2_000) },
  { "idempotency-key": "fuzz-key" },
  { "idempotency-key": "x".repeat(500) },
  { "idempotency-key": '"quoted"' },
  { "if-match": '"1"' },
  { "if-match": "*" },
  { "if-match": 'W/"1", "2"' },
  { "connect-protocol-version": "9" },
  { "x-long": "x".repeat(20_000) },
  { authorization: "Bearer nonsense" },
  { "x-user-bin": "!!" },
  { expect: "200-ok" },
];

/** Spoils what is around the message. */
export function mutateTransport(random: Random, plain: Case): Case {
  const [name, change] = random.pick(CHANGES);
  const changed = change(random, plain);
  return {
    ...plain,
    ...changed,
    headers: changed.headers ? { ...plain.headers, ...changed.headers } : plain.headers,
    mutation: `${plain.mutation}+${name}`,
  };
}

const encodingHeader = ({ protocol }: Case): string =>
  protocol.startsWith("grpc") ? "grpc-encoding" : "content-encoding";
const timeoutHeader = ({ protocol }: Case): string =>
  protocol.startsWith("grpc") ? "grpc-timeout" : "connect-timeout-ms";

const CHANGES: readonly (readonly [string, (random: Random, plain: Case) => Change])[] = [
  ["content-type", (random) => ({ headers: { "content-type": random.pick(CONTENT_TYPES) } })],
  ["timeout", (random, plain) => ({ headers: { [timeoutHeader(plain)]: random.pick(TIMEOUTS) } })],
  [
    "encoding",
    (random, plain) => ({ headers: { [encodingHeader(plain)]: random.pick(ENCODINGS) } }),
  ],
  [
    "accept",
    (random) => ({
      headers: { "accept-encoding": random.pick(ENCODINGS), "grpc-accept-encoding": "zip" },
    }),
  ],
  ["header", (random) => ({ headers: random.pick(HEADERS) })],
  ["compressed", (random, plain) => compressed(random, plain)],
  ["frame", (random, plain) => ({ body: spoilFrame(random, plain.body) })],
  ["large", (random) => ({ body: Buffer.alloc(random.pick([65_536, 65_537, 300_000]), 0x20) })],
  ["empty", () => ({ body: Buffer.alloc(0) })],
  [
    "verb",
    (random) => ({ verb: random.pick(["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"]) }),
  ],
  ["path", (random, plain) => ({ path: spoilPath(random, plain.path) })],
  ["grpc-on-h1", (_, plain) => ({ http: plain.protocol === "grpc" ? 1 : plain.http })],
];

/** A bomb, gzip that is cut off, or honest gzip, in the words of the protocol. */
function compressed(random: Random, plain: Case): Change {
  const zeros = Buffer.alloc(8 * 1024 * 1024);
  const message = plain.protocol.startsWith("grpc") ? plain.body.subarray(5) : plain.body;
  const zipped = random.pick([
    gzipSync(zeros),
    gzipSync(message).subarray(0, 12),
    gzipSync(message),
  ]);
  const framed = plain.protocol.startsWith("grpc");
  return {
    headers: { [encodingHeader(plain)]: "gzip" },
    body: framed ? withHeader(zipped, 1, zipped.length) : zipped,
  };
}

function spoilFrame(random: Random, body: Uint8Array): Buffer {
  const message = Buffer.from(body).subarray(5);
  switch (random.int(7)) {
    case 0:
      return withHeader(message, 0, message.length + 1);
    case 1:
      return withHeader(message, 0, 0xffffffff);
    case 2:
      return withHeader(message, random.pick([1, 2, 4, 0x7f, 0x80, 0xff]), message.length);
    case 3:
      return Buffer.concat([body, body]);
    case 4:
      return Buffer.from(body).subarray(0, 3);
    case 5:
      return Buffer.concat([body, Buffer.from([0])]);
    default:
      return withHeader(message, 0, 0);
  }
}

function withHeader(message: Uint8Array, flags: number, length: number): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, message]);
}

function spoilPath(random: Random, path: string): string {
  return random.pick([
    `${path}/`,
    `/${path}`,
    path.toLowerCase(),
    `${path}X`,
    "/",
    "/v1/payments/..%2f..%2f",
    `${path}?connect=v1&encoding=json&message=%7B%7D`,
    `${path}?message=${"x".repeat(3_000)}`,
    `${path}%00`,
    "/payment.v1.PaymentService/",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  ]);
}
