import { gzipSync } from "node:zlib";
import {
  type DescMethod,
  type DescService,
  getOption,
  type Message,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { access, Idempotency, Role } from "#gen/common/v1/access_pb.ts";
import { type KnownIds, validMessage } from "./messages.ts";
import { mutateBinary, mutateField, mutateJson } from "./mutate.ts";
import type { Random } from "./random.ts";
import { mutateTransport } from "./transport.ts";

/** The protocols of every port. */
export const PROTOCOLS = ["grpc", "grpc-web", "connect-proto", "connect-json"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** One request as it goes over the wire. */
export interface Case {
  readonly index: number;
  readonly address: string;
  readonly method: DescMethod;
  readonly protocol: Protocol;
  readonly http: 1 | 2;
  /** What was done to a valid request, for example `field+transport:bomb`. */
  readonly mutation: string;
  readonly verb: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** An RPC and where it is served. */
export interface Target {
  readonly address: string;
  readonly method: DescMethod;
}

/** Every RPC of the services, with the address of each. */
export function targetsOf(services: ReadonlyMap<DescService, string>): Target[] {
  return [...services].flatMap(([service, address]) =>
    service.methods.map((method) => ({ address, method })),
  );
}

/** The share of RPCs that are dear: a payment runs a workflow, an audit reads all books. */
const DEAR: Readonly<Record<string, number>> = {
  "payment.v1.PaymentService/Create": 0.4,
  "payment.v1.PaymentService/Recover": 0.02,
  "reporting.v1.ReportingService/Audit": 0.02,
  "fraud.v1.FraudService/UpdateSettings": 0.3,
};

/** How long a call may take by its own deadline, in milliseconds: most of the time that of a stream is used up. */
const DEADLINE_MS = 2_000;
const STREAM_DEADLINE_MS = 300;

/** The request of this index: the same for the same random numbers, targets and ids. */
export function makeCase(
  random: Random,
  index: number,
  targets: readonly Target[],
  known: KnownIds,
): Case {
  const { address, method } = pickTarget(random, targets);
  const protocol = random.pick(PROTOCOLS);
  const valid = validMessage(random, method.input, isForPeers(method) ? {} : known);
  const { bytes, mutation } = encode(random, method, protocol, valid);
  const plain: Case = {
    index,
    address,
    method,
    protocol,
    http: protocol === "grpc" || random.chance(0.5) ? 2 : 1,
    mutation,
    verb: "POST",
    path: `/${method.parent.typeName}/${method.name}`,
    headers: headersOf(method, protocol),
    body: enveloped(method, protocol) ? frame(bytes) : bytes,
  };
  return random.chance(0.2) ? mutateTransport(random, plain) : plain;
}

/**
 * RPCs of services only get ids of their own: a peer that captures or announces somebody's payment behind its back
 * breaks the books, and the audit would be right to say so.
 */
function isForPeers(method: DescMethod): boolean {
  const { roles, idempotency } = getOption(method, access);
  if (idempotency === Idempotency.READ) return false;
  return (
    !roles.includes(Role.MERCHANT) &&
    roles.includes(Role.SERVICE) &&
    method.parent.name !== "AccountService"
  );
}

function pickTarget(random: Random, targets: readonly Target[]): Target {
  for (;;) {
    const target = random.pick(targets);
    const share = DEAR[`${target.method.parent.typeName}/${target.method.name}`] ?? 1;
    if (random.chance(share)) return target;
  }
}

function encode(
  random: Random,
  { input }: DescMethod,
  protocol: Protocol,
  valid: Message,
): { bytes: Uint8Array; mutation: string } {
  const how = random.pick(["valid", "field", "field", "raw", "raw"] as const);
  if (how === "field") {
    for (let count = 1 + random.int(3); count > 0; count -= 1) {
      mutateField(random, reflect(input, valid));
    }
  }
  const json = protocol === "connect-json" ? toJson(input, valid) : undefined;
  if (json !== undefined) {
    const bytes = how === "raw" ? mutateJson(random, json) : Buffer.from(json);
    return { bytes, mutation: how };
  }
  const bytes = toBinary(input, valid);
  return { bytes: how === "raw" ? mutateBinary(random, bytes) : bytes, mutation: how };
}

/** JSON of the message, or `{}` of one that JSON cannot say, a time of the year 100,000 for example. */
function toJson(desc: DescMethod["input"], message: Message): string {
  try {
    return toJsonString(desc, message);
  } catch {
    return "{}";
  }
}

function enveloped(method: DescMethod, protocol: Protocol): boolean {
  return protocol.startsWith("grpc") || method.methodKind !== "unary";
}

/** Flags, length, message: how gRPC, gRPC-Web and streams of Connect send it. */
export function frame(message: Uint8Array, flags = 0, length = message.length): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, message]);
}

function headersOf(method: DescMethod, protocol: Protocol): Record<string, string> {
  const deadlineMs = method.methodKind === "unary" ? DEADLINE_MS : STREAM_DEADLINE_MS;
  if (protocol === "grpc" || protocol === "grpc-web") {
    return {
      "content-type": `application/${protocol}+proto`,
      "grpc-timeout": `${deadlineMs}m`,
      ...(protocol === "grpc" ? { te: "trailers" } : {}),
    };
  }
  const format = protocol === "connect-json" ? "json" : "proto";
  const stream = method.methodKind === "unary" ? "" : "connect+";
  return {
    "content-type": `application/${stream}${format}`,
    "connect-protocol-version": "1",
    "connect-timeout-ms": `${deadlineMs}`,
  };
}

/** A megabyte of zeros and more in a few kilobytes. */
export function bomb(megabytes: number): Buffer {
  return gzipSync(Buffer.alloc(megabytes * 1024 * 1024));
}
