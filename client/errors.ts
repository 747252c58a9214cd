import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "#gen/google/rpc/error_details_pb.ts";
import { REASONS, type Reason } from "./reasons.ts";

/** A field of the request that was not as it must be. */
export interface FieldError {
  /** Path in the request, for example `amount.minor_units`. */
  readonly field: string;
  readonly description: string;
}

/** A call that was refused or got no answer. Branch on `reason` by `isReason`, never on the message. */
export class SettleError extends Error {
  override readonly name = "SettleError";
  /** Status of gRPC and Connect. */
  readonly code: Code;
  /** Stable reason, see docs/errors.md; undefined when no service of Settle answered, as when a connection broke. */
  readonly reason: string | undefined;
  /** `ErrorInfo.metadata`: ids of what the refusal is about. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that were not valid. */
  readonly fields: readonly FieldError[];
  /** Whether the same request can succeed later as it is. */
  readonly retryable: boolean;
  /** How long the server asks to wait before the next try, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The server's id of the call, to be named to whoever runs it. */
  readonly callId: string | undefined;

  constructor(error: ConnectError) {
    super(error.rawMessage || Code[error.code], { cause: error });
    const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === "settle");
    const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
    this.code = error.code;
    this.reason = info?.reason;
    this.metadata = info?.metadata ?? {};
    this.fields = error
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations)
      .map(({ field, description }) => ({ field, description }));
    this.retryAfterMs = delay && Number(delay.seconds) * 1000 + Math.ceil(delay.nanos / 1e6);
    this.retryable = isRetryable(error, this.reason, this.retryAfterMs);
    this.callId = error.metadata.get("x-request-id") ?? undefined;
  }
}

/** Whether an error is a refusal for this reason; afterwards TypeScript knows it too. */
export function isReason<R extends Reason>(
  error: unknown,
  ...reasons: readonly R[]
): error is SettleError & { readonly reason: R } {
  return error instanceof SettleError && reasons.some((reason) => reason === error.reason);
}

/** Any error of a call as a SettleError. */
export function toSettleError(error: unknown): SettleError {
  return error instanceof SettleError ? error : new SettleError(ConnectError.from(error));
}

function isRetryable(
  error: ConnectError,
  reason: string | undefined,
  retryAfterMs: number | undefined,
): boolean {
  if (reason !== undefined) {
    // A newer server's reason counts as final unless the server says when to come back.
    return isKnown(reason) ? REASONS[reason].retryable : retryAfterMs !== undefined;
  }
  switch (error.code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.ResourceExhausted:
    case Code.Aborted:
      return true;
    case Code.Internal:
    case Code.Unknown:
      // What no server said is a connection that broke.
      return !error.isWireError;
    default:
      return false;
  }
}

function isKnown(reason: string): reason is Reason {
  return Object.hasOwn(REASONS, reason);
}
