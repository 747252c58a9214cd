import type { IncomingHttpHeaders } from "node:http";
import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import { refuseField } from "../refusal.ts";
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
