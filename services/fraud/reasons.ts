import type { ReasonTable } from "#kit/pure/reasons.ts";

/** Everything Fraud refuses with, besides the common reasons. */
export const fraudReasons = {
  CHECK_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such check; look it up with ListChecks.",
  },
  CHECK_ID_REUSED: {
    status: "ALREADY_EXISTS",
    retryable: false,
    message: "The check_id was used for another payment, account or amount; take a new one.",
  },
  CHECK_ALREADY_DECIDED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The check does not wait for a decision; its first decision is kept.",
  },
} as const satisfies ReasonTable;

/** A reason of Fraud's own. */
export type FraudReason = keyof typeof fraudReasons;
