import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";

/**
 * Shortens the caller's deadline to what the server grants, or sets one where the caller names none. Connect
 * would refuse a longer deadline instead of shortening it, so this is done in the header before Connect
 * reads it; the handler's `signal` and `timeoutMs()` then follow. Answers whether the server's limit counts.
 */
export function clampDeadline(header: Headers, limitMs: number): boolean {
  const grpc = header.get("content-type")?.startsWith("application/grpc") ?? false;
  const name = grpc ? "grpc-timeout" : "connect-timeout-ms";
  const value = header.get(name);
  const parse = grpc ? parseGrpcTimeout : parseConnectTimeout;
  const { timeoutMs, error } = parse(value, Number.MAX_SAFE_INTEGER);
  // A value that is none stays as it is: Connect refuses it in the terms of the protocol.
  if (error !== undefined || (timeoutMs !== undefined && timeoutMs <= limitMs)) return false;
  header.set(name, grpc ? `${limitMs}m` : `${limitMs}`);
  return true;
}
