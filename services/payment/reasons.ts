import type { ReasonTable } from "#kit/pure/reasons.ts";

/** Why a call to Payment is refused, or why a payment ended without success. */
export const paymentReasons = {
  PAYMENT_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no payment with this id; look it up with List.",
  },
  REFUND_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no refund with this id; look it up with ListRefunds.",
  },
  TASK_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no task with this id; look it up with ListTasks.",
  },
  TASK_CLOSED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "Somebody closed the task already; GetTask shows who, and what was done.",
  },
  RESUME_TOKEN_EXPIRED: {
    status: "OUT_OF_RANGE",
    retryable: false,
    message:
      "The resume token is not one of this payment; read it with Get and watch without a token.",
  },
  NOT_CANCELLABLE: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The payment is settled, about to be, or ended; Refund gives settled money back, an ended one took none.",
  },
  NOT_CAPTURABLE: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "Only a payment in REQUIRES_CAPTURE can be captured, once; Get shows what it is in.",
  },
  CAPTURE_EXCEEDS_AUTHORIZED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The amount is larger than what was authorised; take at most that.",
  },
  NOT_REFUNDABLE: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "Only a settled payment can be refunded; one that failed or was cancelled took no money.",
  },
  REFUND_EXCEEDS_CAPTURED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The amount is larger than what is left of the captured amount; Get shows how much is.",
  },
  CURRENCY_MISMATCH: {
    status: "INVALID_ARGUMENT",
    retryable: false,
    message: "The currency is not that of the account or payment; use that one.",
  },
  ACCOUNT_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such account; open it with CreateAccount.",
  },
  CALLBACK_SIGNATURE_INVALID: {
    status: "UNAUTHENTICATED",
    retryable: false,
    message:
      "The callback's signature is not valid for any active secret; sign the raw body with a present one.",
  },
  INSUFFICIENT_FUNDS: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The account's available balance is smaller than the amount; pay money in or take less.",
  },
  ACCOUNT_FROZEN: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The account is frozen; unfreeze it first.",
  },
  GATEWAY_DECLINED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The provider declined the payment; try another payment method.",
  },
  GATEWAY_VOIDED: {
    status: "FAILED_PRECONDITION",
    retryable: true,
    message:
      "The provider gave the authorisation up by itself; everything was undone, a new payment may pass.",
  },
  GATEWAY_TIMEOUT: {
    status: "FAILED_PRECONDITION",
    retryable: true,
    message: "The provider did not answer in time; everything was undone, a new payment may pass.",
  },
  FRAUD_REJECTED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The fraud check rejected the payment; everything was undone. The same payment would be rejected again.",
  },
  FRAUD_REVIEW_EXPIRED: {
    status: "FAILED_PRECONDITION",
    retryable: true,
    message:
      "Nobody decided the fraud review in time; everything was undone, a new payment may pass.",
  },
  CAPTURE_EXPIRED: {
    status: "FAILED_PRECONDITION",
    retryable: true,
    message:
      "The payment was not captured in time; everything was undone. Create it again and capture sooner.",
  },
  STEP_FAILED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "A step was refused for good; everything was undone. Report it with the payment's id.",
  },
  CANCELLED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The payment was cancelled; everything was undone, create a new one if it is wanted after all.",
  },
} as const satisfies ReasonTable;

/** A stable code of this service. */
export type PaymentReason = keyof typeof paymentReasons;

/** What a reason means to a person, or undefined for one that is not in the table. */
export function messageOf(reason: string): string | undefined {
  const table: Readonly<Record<string, { readonly message: string } | undefined>> = paymentReasons;
  return table[reason]?.message;
}
