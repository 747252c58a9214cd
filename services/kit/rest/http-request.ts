import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import { Refusal, refuseField } from "../refusal.ts";
import { isForwarded } from "../rpc/forwarded-headers.ts";

const CONNECT_TIMEOUT = "connect-timeout-ms";
const GRPC_TIMEOUT = "grpc-timeout";

/** Headers of the RPC that a request stands for: the caller's own, and its deadline. */
export function rpcHeaders(headers: IncomingHttpHeaders): Headers {
  const forwarded = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !isForwarded(name)) continue;
    forwarded.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const timeoutMs = deadlineOf(headers);
  // Given in the header and not as an option: then the server alone ends the call, with its own words.
  if (timeoutMs !== undefined) forwarded.set(CONNECT_TIMEOUT, `${timeoutMs}`);
  return forwarded;
}

/** The caller's deadline in milliseconds, from `grpc-timeout` (`10S`) or `connect-timeout-ms`. */
function deadlineOf(headers: IncomingHttpHeaders): number | undefined {
  const name = headers[GRPC_TIMEOUT] === undefined ? CONNECT_TIMEOUT : GRPC_TIMEOUT;
  const value = headers[name];
  if (value === undefined) return undefined;
  const parse = name === GRPC_TIMEOUT ? parseGrpcTimeout : parseConnectTimeout;
  const { timeoutMs, error } = parse(String(value), Number.MAX_SAFE_INTEGER);
  if (error !== undefined) throw refuseField(name, "is not a timeout");
  return timeoutMs;
}

/** Reads the body of a request. Refuses one that is too large, compressed, or not JSON. */
export async function readJsonBytes(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax)
    throw new Refusal("MESSAGE_TOO_LARGE");
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > bytesMax) throw new Refusal("MESSAGE_TOO_LARGE");
    chunks.push(bytes);
  }
  if (length > 0) requireJson(request.headers);
  return Buffer.concat(chunks);
}

function requireJson(headers: IncomingHttpHeaders): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    throw new Refusal("UNSUPPORTED_MEDIA_TYPE", { message: "send the body without compression" });
  }
  const [type = "", ...parameters] = (headers["content-type"] ?? "application/json")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  const utf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (type !== "application/json" || !utf8) throw new Refusal("UNSUPPORTED_MEDIA_TYPE");
}
