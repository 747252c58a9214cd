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
  RESUME_TOKEN_EXPIRED: {
    status: "OUT_OF_RANGE",
    retryable: false,
    message:
      "The resume token is not one of this payment; read it with Get and watch without a token.",
  },
  NOT_CANCELLABLE: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The payment is settled or about to be; use Refund instead.",
  },
  NOT_CAPTURABLE: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "Only a payment in REQUIRES_CAPTURE can be captured, once.",
  },
  CAPTURE_EXCEEDS_AUTHORIZED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The amount is larger than what was authorised.",
  },
  NOT_REFUNDABLE: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "Only a settled payment can be refunded.",
  },
  REFUND_EXCEEDS_CAPTURED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The amount is larger than what is left of the captured amount.",
  },
  CURRENCY_MISMATCH: {
    status: "INVALID_ARGUMENT",
    retryable: false,
    message: "The currency is not that of the account or payment.",
  },
  ACCOUNT_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such account; open it with CreateAccount.",
  },
  CALLBACK_SIGNATURE_INVALID: {
    status: "UNAUTHENTICATED",
    retryable: false,
    message: "The callback's signature is not valid for any active secret.",
  },
  INSUFFICIENT_FUNDS: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The account's available balance is smaller than the amount.",
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
  GATEWAY_TIMEOUT: {
    status: "FAILED_PRECONDITION",
    retryable: true,
    message: "The provider did not answer in time; everything was undone, a new payment may pass.",
  },
  FRAUD_REJECTED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The fraud check rejected the payment.",
  },
  FRAUD_REVIEW_EXPIRED: {
    status: "FAILED_PRECONDITION",
    retryable: true,
    message: "Nobody decided the fraud review in time; everything was undone.",
  },
  CAPTURE_EXPIRED: {
    status: "FAILED_PRECONDITION",
    retryable: true,
    message: "The payment was not captured in time; everything was undone.",
  },
  STEP_FAILED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "A step was refused for good; everything was undone. Report it with the payment's id.",
  },
  CANCELLED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The payment was cancelled; everything was undone.",
  },
} as const satisfies ReasonTable;

/** A stable code of this service. */
export type PaymentReason = keyof typeof paymentReasons;

/** What a reason means to a person, or undefined for one that is not in the table. */
export function messageOf(reason: string): string | undefined {
  const table: Readonly<Record<string, { readonly message: string } | undefined>> = paymentReasons;
  return table[reason]?.message;
}
