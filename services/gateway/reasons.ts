import type { ReasonTable } from "#kit/pure/reasons.ts";

/** Why the provider refuses a call. What is not retryable stays the answer to that key for ever. */
export const gatewayReasons = {
  GATEWAY_TRANSACTION_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "The provider never saw this authorisation key; call Authorize first.",
  },
  GATEWAY_UNAVAILABLE: {
    status: "UNAVAILABLE",
    retryable: true,
    message: "The provider does not answer now; repeat the call with the same key.",
  },
  GATEWAY_PENDING: {
    status: "UNAVAILABLE",
    retryable: true,
    message: "The authorisation is not answered yet; repeat the call after its callback.",
  },
  GATEWAY_DECLINED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The authorisation was declined or voided; nothing can be captured from it.",
  },
  GATEWAY_ALREADY_CAPTURED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "Another amount was captured already, and capture happens once; use Refund.",
  },
  CAPTURE_EXCEEDS_AUTHORIZED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The amount is larger than what was authorised; take at most that.",
  },
  REFUND_EXCEEDS_CAPTURED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The amount is larger than what is left of the captured amount; GetTransaction shows how much is.",
  },
  CURRENCY_MISMATCH: {
    status: "INVALID_ARGUMENT",
    retryable: false,
    message: "The currency is not that of the authorisation; use that one.",
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: "ALREADY_EXISTS",
    retryable: false,
    message: "The idempotency key was used for something else; take a new one.",
  },
} as const satisfies ReasonTable;

/** A reason of this service. */
export type GatewayReason = keyof typeof gatewayReasons;
