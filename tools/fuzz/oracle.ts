import { Code } from "@connectrpc/connect";
import type { Case } from "./cases.ts";
import type { Outcome } from "./wire.ts";

/** HTTP statuses a caller can cause; the others of 500 and above would be a bug. */
const HONEST_SERVER_STATUS = new Set([501, 503, 504, 505]);
/** More than a message may have: the port may stop reading and close. */
const LARGE_BYTES = 60_000;

const HEADER = /^(settle-tenant|idempotency-key|if-match)\b/;

/** What is wrong with an answer, or undefined when a caller can live with it. */
export function judge(request: Case, outcome: Outcome): string | undefined {
  if (outcome.broken !== undefined)
    return mayClose(request) ? undefined : `no answer: ${outcome.broken}`;
  const { code, reason, fields, status, message } = outcome;
  if (code === Code.Internal || code === Code.Unknown || code === Code.DataLoss) {
    return `${Code[code]}: ${message}`;
  }
  if (status >= 500 && !HONEST_SERVER_STATUS.has(status)) return `HTTP ${status}`;
  if (code === Code.InvalidArgument && reason === undefined) return `no reason: ${message}`;
  // A header is no field; its refusal begins with the header's name.
  const aboutMessage = reason !== "MALFORMED_MESSAGE" && !HEADER.test(message);
  if (code === Code.InvalidArgument && aboutMessage && fields.length === 0) {
    return `${reason} names no field: ${message}`;
  }
  return undefined;
}

/** Whether HTTP itself forbids the request, so that a server may just close. */
function mayClose(request: Case): boolean {
  const headerBytes = Object.values(request.headers).reduce((sum, value) => sum + value.length, 0);
  return request.body.length > LARGE_BYTES || headerBytes > 16_000 || request.verb !== "POST";
}
