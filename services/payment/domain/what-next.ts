import type { PaymentStatus } from "./payment.ts";

const WHAT_NEXT: Readonly<Record<PaymentStatus, string>> = {
  PENDING: "wait for its end with Watch, or undo it with Cancel",
  PROCESSING: "wait for its end with Watch; Cancel is possible until it is being captured",
  NEEDS_REVIEW: "a person has to decide it with SubmitDecision, or undo it with Cancel",
  REQUIRES_CAPTURE: "take the money with Capture, or release it with Cancel",
  SUCCEEDED: "the money was taken; give it back with Refund",
  PARTIALLY_REFUNDED: "the money was taken; give the rest back with Refund",
  REFUNDED: "all of the money was given back; nothing is left to do",
  FAILED: "nothing was taken and nothing is held; create a new payment",
  CANCELLED: "nothing was taken and nothing is held; create a new payment",
};

/** What can be done with a payment in this state: ends the message of a refusal that the state is the reason for. */
export function whatNext(status: PaymentStatus): string {
  return WHAT_NEXT[status];
}
