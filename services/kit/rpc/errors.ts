import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "#gen/google/rpc/error_details_pb.ts";
import { commonReasons, type ReasonTable, type StatusName } from "../pure/reasons.ts";
import type { Refusal } from "../refusal.ts";

/** `ErrorInfo.domain` of every error Settle makes. */
export const ERROR_DOMAIN = "settle";

const CODES: Readonly<Record<StatusName, Code>> = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  ABORTED: Code.Aborted,
  OUT_OF_RANGE: Code.OutOfRange,
  PERMISSION_DENIED: Code.PermissionDenied,
  UNAUTHENTICATED: Code.Unauthenticated,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  UNAVAILABLE: Code.Unavailable,
  UNIMPLEMENTED: Code.Unimplemented,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
};

/**
 * Turns a refusal into what goes over the wire: code and message by the reason table, `ErrorInfo` always,
 * `BadRequest` and `RetryInfo` where the refusal brings them. A reason that is in no table is a bug and throws.
 */
export function toConnectError(refusal: Refusal, table: ReasonTable): ConnectError {
  const info = table[refusal.reason] ?? (commonReasons as ReasonTable)[refusal.reason];
  if (info === undefined) throw new Error(`reason ${refusal.reason} is in no reason table`);
  const error = new ConnectError(
    refusal.hasMessage ? refusal.message : info.message,
    CODES[info.status],
    undefined,
    undefined,
    refusal.cause,
  );
  error.details.push({
    desc: ErrorInfoSchema,
    value: { reason: refusal.reason, domain: ERROR_DOMAIN, metadata: { ...refusal.metadata } },
  });
  if (refusal.fields.length > 0) {
    error.details.push({
      desc: BadRequestSchema,
      value: {
        fieldViolations: refusal.fields.map((violation) => ({
          ...violation,
          reason: refusal.reason,
        })),
      },
    });
  }
  if (refusal.retryAfterMs !== undefined) {
    const seconds = Math.floor(refusal.retryAfterMs / 1000);
    const nanos = (refusal.retryAfterMs % 1000) * 1_000_000;
    error.details.push({
      desc: RetryInfoSchema,
      value: { retryDelay: { seconds: BigInt(seconds), nanos } },
    });
  }
  return error;
}

/** The stable reason of a peer's error, or undefined when it brings none (a broken connection, a deadline). */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  return error.findDetails(ErrorInfoSchema).find((info) => info.domain === ERROR_DOMAIN)?.reason;
}

/** `ErrorInfo.metadata` of a peer's error; empty when it brings none. */
export function metadataOf(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof ConnectError)) return {};
  return error.findDetails(ErrorInfoSchema)[0]?.metadata ?? {};
}

/**
 * The reason of a definite refusal: the peer says in an ErrorInfo of our domain why, and the reason stands on the
 * caller's list of those that the operation stores for good. Undefined for everything else, also for a 401, a 404 or
 * a proxy's answer: nobody knows then what happened, and the call is repeated with the same key.
 */
export function definiteReason<R extends string>(
  error: unknown,
  stored: readonly R[],
): R | undefined {
  const reason = reasonOf(error);
  return stored.find((each) => each === reason);
}
