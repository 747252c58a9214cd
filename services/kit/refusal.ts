/** A field of the request that is not as it must be. */
export interface FieldViolation {
  /** Path in the request, for example `amount.minor_units`. */
  readonly field: string;
  readonly description: string;
}

/** What a refusal may bring besides its reason. */
export interface RefusalOptions {
  /** Overrides the table's message; names the object and what to do next. */
  readonly message?: string;
  /** Goes into `ErrorInfo.metadata`; no personal data. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly fields?: readonly FieldViolation[];
  /** Goes into `RetryInfo`, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * An expected failure on its way out of `application`: a stable reason that the transport turns
 * into a status by the service's reason table. A bug is any other error.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
  /** True when the refusal brings its own message and the table's is not wanted. */
  readonly hasMessage: boolean;

  constructor(reason: string, options: RefusalOptions = {}) {
    super(options.message ?? reason, options.cause === undefined ? {} : { cause: options.cause });
    this.reason = reason;
    this.metadata = options.metadata ?? {};
    this.fields = options.fields ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.hasMessage = options.message !== undefined;
  }
}

/** Refuses one field of the request. */
export function refuseField(field: string, description: string, reason = "INVALID_FIELD"): Refusal {
  return new Refusal(reason, {
    message: `${field}: ${description}`,
    fields: [{ field, description }],
  });
}
