/** gRPC status names a refusal can carry. INTERNAL and UNKNOWN are missing on purpose. */
export type StatusName =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "PERMISSION_DENIED"
  | "UNAUTHENTICATED"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "UNIMPLEMENTED"
  | "DEADLINE_EXCEEDED";

/** What a stable reason means to a caller. */
export interface ReasonInfo {
  readonly status: StatusName;
  /** Whether the same request can succeed later without any change. */
  readonly retryable: boolean;
  /** What happened and what to do next. Used where the refusal brings no message of its own. */
  readonly message: string;
}

/** A service's reasons; total, so that a reason without an entry does not compile. */
export type ReasonTable<R extends string = string> = Readonly<Record<R, ReasonInfo>>;

const reason = (status: StatusName, message: string, retryable = false): ReasonInfo => ({
  status,
  retryable,
  message,
});

/** Reasons any service can answer with. */
export const commonReasons = {
  INVALID_FIELD: reason("INVALID_ARGUMENT", "A field is not valid; see the field violations."),
  INVALID_AMOUNT: reason("INVALID_ARGUMENT", "The amount must be 1 to 10^15 minor units."),
  UNSUPPORTED_CURRENCY: reason("INVALID_ARGUMENT", "The currency is not an ISO 4217 code."),
  INVALID_PAGE_TOKEN: reason(
    "INVALID_ARGUMENT",
    "The page token is not one of this list and filter; begin again without it.",
  ),
  CREDENTIALS_MISSING: reason(
    "UNAUTHENTICATED",
    "The call brings no credentials; send `authorization: Bearer <API key or token>`.",
  ),
  CREDENTIALS_INVALID: reason(
    "UNAUTHENTICATED",
    "The API key or token is not valid (unknown, expired, revoked or not for here); get a new one.",
  ),
  ROLE_MISSING: reason(
    "PERMISSION_DENIED",
    "The caller has none of the roles this RPC asks for; use a key that has one.",
  ),
  KEY_NOT_FOUND: reason("NOT_FOUND", "There is no such API key; see ListKeys."),
  IDENTITY_UNAVAILABLE: reason(
    "UNAVAILABLE",
    "The keys that tokens are checked with cannot be read; retry.",
    true,
  ),
  MALFORMED_MESSAGE: reason("INVALID_ARGUMENT", "The message could not be parsed."),
  MESSAGE_TOO_LARGE: reason(
    "RESOURCE_EXHAUSTED",
    "The message is over the limit, 64 KiB for most RPCs.",
  ),
  BODY_TOO_SLOW: reason(
    "DEADLINE_EXCEEDED",
    "The message did not arrive in the time it may take; send it again, faster.",
    true,
  ),
  PATH_UNKNOWN: reason(
    "UNIMPLEMENTED",
    "There is no such path or RPC here; docs/api lists those there are.",
  ),
  HOST_NOT_ALLOWED: reason(
    "PERMISSION_DENIED",
    "This host name is not one this server goes by; use localhost, or name it in SETTLE_HOSTS.",
  ),
  ORIGIN_NOT_ALLOWED: reason(
    "PERMISSION_DENIED",
    "Pages of this origin may not call; name it in SETTLE_CORS_ORIGINS.",
  ),
  METHOD_NOT_ALLOWED: reason("UNIMPLEMENTED", "The path does not answer this HTTP method."),
  UNSUPPORTED_MEDIA_TYPE: reason(
    "INVALID_ARGUMENT",
    "The body must be application/json in UTF-8, without compression.",
  ),
  RESPONSE_TOO_LARGE: reason(
    "RESOURCE_EXHAUSTED",
    "The response is over the limit of 4 MiB; ask for a smaller page.",
  ),
  REQUEST_ID_REUSED: reason(
    "ALREADY_EXISTS",
    "The request_id was used with another body; take a new one.",
  ),
  REQUEST_IN_PROGRESS: reason(
    "ABORTED",
    "The first call with this request_id is still running; retry after the delay.",
    true,
  ),
  ETAG_MISMATCH: reason("ABORTED", "The object changed meanwhile; read it again and retry."),
  RATE_LIMITED: reason(
    "RESOURCE_EXHAUSTED",
    "The caller makes more calls than it may, per second or at once; retry after the delay.",
    true,
  ),
  OVERLOADED: reason(
    "UNAVAILABLE",
    "The server has more to do than it can; nothing was begun, retry after the delay.",
    true,
  ),
  DEADLINE_EXCEEDED: reason("DEADLINE_EXCEEDED", "The call took longer than it may; retry.", true),
  STREAM_EXPIRED: reason(
    "UNAVAILABLE",
    "The stream was open as long as one may be; open it again where it ended.",
    true,
  ),
  SHUTTING_DOWN: reason("UNAVAILABLE", "The service is shutting down; retry.", true),
  STORE_UNAVAILABLE: reason("UNAVAILABLE", "The database does not answer; retry.", true),
  WRITE_CONFLICT: reason("ABORTED", "Too many writers at once; retry.", true),
  TEMPORAL_UNAVAILABLE: reason("UNAVAILABLE", "Temporal does not answer; retry.", true),
} as const satisfies ReasonTable;
