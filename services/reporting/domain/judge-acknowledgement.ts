import type { PaymentBook } from "./books.ts";
import type { Violation } from "./invariants.ts";

/** An answer that a caller got. */
export interface Acknowledgement {
  /** Empty when the caller named none. */
  readonly requestId: string;
  readonly paymentId: string;
  /** Empty or not final: then only the payment's existence was promised. */
  readonly status: string;
}

/** What a payment may have become after its caller was told a final status. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  SUCCEEDED: ["SUCCEEDED", "PARTIALLY_REFUNDED", "REFUNDED"],
  PARTIALLY_REFUNDED: ["PARTIALLY_REFUNDED", "REFUNDED"],
  REFUNDED: ["REFUNDED"],
  FAILED: ["FAILED"],
  CANCELLED: ["CANCELLED"],
};

const NOT_FINAL = ["", "UNSPECIFIED", "PENDING", "PROCESSING", "REQUIRES_CAPTURE", "NEEDS_REVIEW"];

/** A10 for one answer. Statuses may carry the contract's prefix `PAYMENT_STATUS_`. */
export function judgeAcknowledgement(
  told: Acknowledgement,
  payment: PaymentBook | undefined,
): readonly Violation[] {
  const id = told.paymentId || told.requestId;
  const broken = (detail: string): readonly Violation[] => [{ invariant: "A10", id, detail }];
  if (!payment) return broken("was acknowledged and does not exist");
  if (told.requestId !== "" && told.requestId !== payment.requestId) {
    return broken(
      `was acknowledged for request ${told.requestId}, belongs to ${payment.requestId}`,
    );
  }
  const status = told.status.replace(/^PAYMENT_STATUS_/, "");
  if (NOT_FINAL.includes(status)) return [];
  const allowed = LATER[status];
  if (!allowed) return broken(`was acknowledged as ${told.status}, which is no status`);
  return allowed.includes(payment.status)
    ? []
    : broken(`was acknowledged as ${status} and is ${payment.status}`);
}
