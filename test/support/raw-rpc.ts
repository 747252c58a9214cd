import http2 from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";

/** How a hand-made request ended. */
export interface RawAnswer {
  readonly code: Code | undefined;
  readonly reason: string | undefined;
  readonly message: string;
}

/** A way to send bytes as the message of an RPC, whatever they are. */
export type RawSend = (
  address: string,
  method: DescMethod,
  message: Uint8Array,
  options?: { readonly gzipped?: boolean; readonly headers?: Readonly<Record<string, string>> },
) => Promise<RawAnswer>;

/** The three protocols, each sending a message as it stands. */
export const rawProtocols: Readonly<
  Record<"gRPC" | "gRPC-Web" | "Connect" | "Connect JSON", RawSend>
> = {
  gRPC: sendGrpc,
  "gRPC-Web": sendGrpcWeb,
  Connect: (address, method, message, options) =>
    sendConnect(address, method, message, "application/proto", options),
  "Connect JSON": (address, method, message, options) =>
    sendConnect(address, method, message, "application/json", options),
};

/** A gRPC frame: flags, length, message. */
export function frame(message: Uint8Array, flags = 0): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** Path of an RPC in every protocol. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function sendGrpc(
  ...[address, method, message, options = {}]: Parameters<RawSend>
): Promise<RawAnswer> {
  const session = http2.connect(`http://${address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": pathOf(method),
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...(options.gzipped ? { "grpc-encoding": "gzip" } : {}),
    ...options.headers,
  });
  return new Promise<RawAnswer>((resolve, reject) => {
    session.once("error", reject);
    stream.once("error", reject);
    const read = (headers: http2.IncomingHttpHeaders) => {
      if (headers["grpc-status"] !== undefined) resolve(fromHeaders(headers));
    };
    stream.once("response", read);
    stream.once("trailers", read);
    stream.resume();
    stream.end(frame(message, options.gzipped ? 1 : 0));
  }).finally(() => session.destroy());
}

function fromHeaders(headers: http2.IncomingHttpHeaders): RawAnswer {
  const plain = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
  return read(findTrailerError(new Headers(plain.map(([name, value]) => [name, String(value)]))));
}

async function sendGrpcWeb(
  ...[address, method, message, options = {}]: Parameters<RawSend>
): Promise<RawAnswer> {
  const response = await fetch(`http://${address}${pathOf(method)}`, {
    method: "POST",
    headers: {
      "content-type": "application/grpc-web+proto",
      ...(options.gzipped ? { "grpc-encoding": "gzip" } : {}),
      ...options.headers,
    },
    body: new Uint8Array(frame(message, options.gzipped ? 1 : 0)),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  let at = 0;
  while (at < bytes.length && (bytes.readUInt8(at) & 0x80) === 0)
    at += 5 + bytes.readUInt32BE(at + 1);
  return read(findTrailerError(trailerParse(bytes.subarray(at + 5))));
}

async function sendConnect(
  address: string,
  method: DescMethod,
  message: Uint8Array,
  contentType: string,
  options: Parameters<RawSend>[3] = {},
): Promise<RawAnswer> {
  const response = await fetch(`http://${address}${pathOf(method)}`, {
    method: "POST",
    headers: {
      "content-type": contentType,
      ...(options.gzipped ? { "content-encoding": "gzip" } : {}),
      ...options.headers,
    },
    body: new Uint8Array(message),
  });
  if (response.ok) return read(undefined);
  // JSON enters here; the shape is that of the Connect protocol.
  const body = (await response.json()) as {
    code: string;
    message?: string;
    details?: { type: string; value: string }[];
  };
  const error = new ConnectError(body.message ?? "", codeFromString(body.code) ?? Code.Unknown);
  error.details = (body.details ?? []).map(({ type, value }) => ({
    type,
    value: base64Decode(value),
  }));
  return read(error);
}

function read(error: ConnectError | undefined): RawAnswer {
  return {
    code: error?.code,
    reason: error?.findDetails(ErrorInfoSchema)[0]?.reason,
    message: error?.rawMessage ?? "",
  };
}
