import { type GatewayBook, isSettled, isUndone, namesOf, type PaymentCase } from "./books.ts";
import { type Violation, violationsOf } from "./invariants.ts";

/**
 * A late authorisation comes back to life after its void until the callback about it was answered; for this long,
 * in milliseconds, it is still on its way and not a disagreement.
 */
export const LATE_AUTHORIZATION_GRACE_MS = 60_000;

/** A7 for one final payment. `now` is when the provider was asked, which is after the snapshot. */
export function judgeGateway(
  books: Pick<PaymentCase, "payment" | "callbackOpen">,
  transaction: GatewayBook | undefined,
  now: Date,
): readonly Violation[] {
  const { payment } = books;
  // The reconcile that the stored callback asks for will make the provider agree.
  if (books.callbackOpen) return [];
  const details = isSettled(payment.status)
    ? settledDetails(payment, transaction)
    : isUndone(payment.status)
      ? undoneDetails(payment, transaction, now)
      : [];
  return violationsOf("A7", payment.paymentId, details);
}

type Payment = PaymentCase["payment"];

function settledDetails(payment: Payment, transaction: GatewayBook | undefined): readonly string[] {
  if (!transaction) return ["the provider does not know it"];
  const details: string[] = [];
  if (transaction.state !== "CAPTURED") details.push(`the provider says ${transaction.state}`);
  if (transaction.currencyCode !== payment.currencyCode || transaction.amount !== payment.amount) {
    details.push(
      `the provider was asked for ${transaction.amount} ${transaction.currencyCode}, not ${payment.amount} ${payment.currencyCode}`,
    );
  }
  if (transaction.capturedAmount !== payment.capturedAmount) {
    details.push(
      `the provider took ${transaction.capturedAmount}, we say ${payment.capturedAmount}`,
    );
  }
  // A refund under way may have reached the provider and not the row.
  const { refundedAmount: least, reservedAmount } = payment;
  if (transaction.refundedAmount < least || transaction.refundedAmount > least + reservedAmount) {
    details.push(`the provider gave back ${transaction.refundedAmount}, we say ${least}`);
  }
  if (transaction.merchantReference !== payment.paymentId) {
    details.push(`the provider keeps it for ${transaction.merchantReference || "nobody"}`);
  }
  return details;
}

function undoneDetails(
  payment: Payment,
  transaction: GatewayBook | undefined,
  now: Date,
): readonly string[] {
  if (!transaction || !keepsMoney(transaction)) return [];
  const ageMs = now.getTime() - transaction.updateTime.getTime();
  if (transaction.state === "AUTHORIZED" && ageMs < LATE_AUTHORIZATION_GRACE_MS) return [];
  const kept = transaction.capturedAmount - transaction.refundedAmount;
  return [`is ${payment.status}, but the provider says ${transaction.state} and keeps ${kept}`];
}

/** Whether the provider took, or may still take, money of the payer. */
export function keepsMoney(transaction: GatewayBook): boolean {
  const { state, capturedAmount, refundedAmount } = transaction;
  if (state === "CAPTURED") return capturedAmount !== refundedAmount;
  return state !== "VOIDED" && state !== "DECLINED";
}

/** A7 for a transaction that is not the one authorisation its payment may have. */
export function strayTransaction(
  transaction: GatewayBook,
  paymentExists: boolean,
): readonly Violation[] {
  const { authorizationKey: id, merchantReference, state } = transaction;
  const ours = paymentExists || id === namesOf.authorize(merchantReference);
  if (!ours || !keepsMoney(transaction)) return [];
  const detail = paymentExists
    ? `is ${state}: a second authorisation of payment ${merchantReference}`
    : `is ${state} for ${merchantReference}, which is no payment`;
  return [{ invariant: "A7", id, detail }];
}
