import {
  finalEventOf,
  isSettled,
  isUndone,
  namesOf,
  type PaymentCase,
  type RefundBook,
} from "./books.ts";
import { type Violation, violationsOf } from "./invariants.ts";

/** A5: the parts of the row agree on one end. Also for a payment that has not ended: then it may not look so. */
export function judgeEnd({ payment, check }: PaymentCase): readonly Violation[] {
  const {
    paymentId: id,
    status,
    final,
    phase,
    phaseAmount,
    capturedAmount,
    refundedAmount,
  } = payment;
  const settled = isSettled(status);
  const undone = isUndone(status);
  const details: string[] = [];
  if (final !== (settled || undone))
    details.push(`is ${status} and ${final ? "final" : "not final"}`);
  if (!final) return violationsOf("A5", id, details);
  if (settled) {
    if (phase !== "CAPTURING") details.push(`is ${status} in phase ${phase}`);
    else if (phaseAmount !== capturedAmount)
      details.push(`captured ${capturedAmount}, decided ${phaseAmount ?? "nothing"}`);
    if (status !== settledStatus(capturedAmount, refundedAmount)) {
      details.push(`is ${status} with ${refundedAmount} of ${capturedAmount} refunded`);
    }
    if (check && check.decision !== "PASS")
      details.push(`is ${status}, but its fraud check says ${check.decision}`);
  }
  if (undone) {
    if (
      phase === "CAPTURING" &&
      !(status === "FAILED" && payment.failureReason === "GATEWAY_DECLINED")
    ) {
      details.push(`is ${status} in phase CAPTURING`);
    }
    if (capturedAmount !== 0n) details.push(`is ${status} with ${capturedAmount} captured`);
  }
  return violationsOf("A5", id, details);
}

function settledStatus(captured: bigint, refunded: bigint): string {
  if (refunded === 0n) return "SUCCEEDED";
  return refunded >= captured ? "REFUNDED" : "PARTIALLY_REFUNDED";
}

/** A8 for one final payment: its end and every successful refund are told once, and no failed refund is. */
export function judgeNotices({ payment, refunds, notices }: PaymentCase): readonly Violation[] {
  const { paymentId } = payment;
  const end = finalEventOf(payment.status);
  const expected = [
    ...(end
      ? [
          {
            ...end,
            id: namesOf.notice(paymentId, end.event),
            pending: payment.notifyPending,
            happened: true,
          },
        ]
      : []),
    ...refunds.map((refund) => ({
      id: namesOf.notice(refund.refundId, "refunded"),
      template: "PAYMENT_REFUNDED",
      pending: refund.notifyPending,
      happened: refund.status === "SUCCEEDED",
    })),
  ];
  const details = expected.flatMap(({ id, template, pending, happened }) => {
    const notice = notices.get(id);
    if (!happened) return notice ? [`${id} tells what did not happen`] : [];
    if (!notice) return pending ? [] : [`${id} was never stored`];
    if (notice.template !== template) return [`${id} is told as ${notice.template}`];
    return notice.paymentId === paymentId ? [] : [`${id} is about payment ${notice.paymentId}`];
  });
  return violationsOf("A8", paymentId, details);
}

/** The part of A9 that a payment's own documents tell: an undone payment gives its fraud tally back. */
export function judgeTally({ payment, check }: PaymentCase): readonly Violation[] {
  if (!payment.final || !isUndone(payment.status) || !check || check.tallied === 0n) return [];
  const detail = `is ${payment.status}, but ${check.tallied} is still in the fraud tally`;
  return [{ invariant: "A9", id: payment.paymentId, detail }];
}

/** A11, for open payments too: reservation and refund row are written in one transaction. */
export function judgeRefunds({ payment, refunds }: PaymentCase): readonly Violation[] {
  const { paymentId: id, capturedAmount, refundedAmount, reservedAmount } = payment;
  const details: string[] = [];
  if (
    refundedAmount < 0n ||
    reservedAmount < 0n ||
    capturedAmount - refundedAmount - reservedAmount < 0n
  ) {
    details.push(
      `captured ${capturedAmount}, refunded ${refundedAmount}, reserved ${reservedAmount}`,
    );
  }
  const pending = sumOf(refunds, "PENDING");
  if (pending !== reservedAmount)
    details.push(`reserved ${reservedAmount}, pending refunds ${pending}`);
  const given = sumOf(refunds, "SUCCEEDED");
  if (given !== refundedAmount)
    details.push(`refunded ${refundedAmount}, successful refunds ${given}`);
  return violationsOf("A11", id, details);
}

function sumOf(refunds: readonly RefundBook[], status: string): bigint {
  return refunds.reduce(
    (sum, refund) => (refund.status === status ? sum + refund.amount : sum),
    0n,
  );
}
