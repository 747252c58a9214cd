import { formatMoney } from "#kit/pure/money.ts";
import {
  finalEventOf,
  isSettled,
  isUndone,
  namesOf,
  type PaymentCase,
  type RefundBook,
  type TallyBook,
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

/** A message that must be there, and what it must tell. */
interface ExpectedNotice {
  readonly id: string;
  readonly template: string;
  readonly happened: boolean;
  /** Not stored yet, or so old that its owner may have dropped it. */
  readonly mayBeAbsent: boolean;
  /** By the names of its variables. */
  readonly told: Readonly<Record<string, string>>;
  /** What stands in its text: the amount as people read it. */
  readonly text: string;
}

/**
 * A8 for one final payment: its end and every successful refund are told once and as they happened, and no failed refund
 * is. Of what ended before `keptSince` the messages may be gone.
 */
export function judgeNotices(
  { payment, refunds, notices }: PaymentCase,
  keptSince: Date,
): readonly Violation[] {
  const { paymentId } = payment;
  const expected = [
    ...endNotice(payment, keptSince),
    ...refunds.map((each) => refundNotice(each, keptSince)),
  ];
  const details = expected.flatMap(({ id, template, happened, mayBeAbsent, told, text }) => {
    const notice = notices.get(id);
    if (!happened) return notice ? [`${id} tells what did not happen`] : [];
    if (!notice) return mayBeAbsent ? [] : [`${id} was never stored`];
    if (notice.template !== template) return [`${id} is told as ${notice.template}`];
    if (notice.paymentId !== paymentId) return [`${id} is about payment ${notice.paymentId}`];
    const amount = notice.told.get("amount");
    if (amount !== undefined && (amount !== text || !notice.text.includes(text)))
      return [`${id} reads ${JSON.stringify(notice.text)}, not of ${text}`];
    return Object.entries(told).flatMap(([name, value]) => {
      const said = notice.told.get(name);
      return said === undefined || said === value
        ? []
        : [`${id} tells ${name} ${said}, not ${value}`];
    });
  });
  return violationsOf("A8", paymentId, details);
}

function endNotice(payment: PaymentCase["payment"], keptSince: Date): readonly ExpectedNotice[] {
  const end = finalEventOf(payment.status);
  if (end === undefined) return [];
  const { currencyCode, amount, capturedAmount, failureReason } = payment;
  return [
    {
      id: namesOf.notice(payment.paymentId, end.event),
      template: end.template,
      happened: true,
      mayBeAbsent: payment.notifyPending || isBefore(payment.finalTime, keptSince),
      text: formatMoney({
        currencyCode,
        minorUnits: end.event === "succeeded" ? capturedAmount : amount,
      }),
      told: {
        currencyCode,
        minorUnits: `${amount}`,
        capturedMinorUnits: `${capturedAmount}`,
        reason: failureReason,
      },
    },
  ];
}

function refundNotice(refund: RefundBook, keptSince: Date): ExpectedNotice {
  return {
    id: namesOf.notice(refund.refundId, "refunded"),
    template: "PAYMENT_REFUNDED",
    happened: refund.status === "SUCCEEDED",
    mayBeAbsent: refund.notifyPending || isBefore(refund.updateTime, keptSince),
    text: formatMoney({ currencyCode: refund.currencyCode, minorUnits: refund.amount }),
    told: { currencyCode: refund.currencyCode, minorUnits: `${refund.amount}` },
  };
}

function isBefore(time: Date | undefined, limit: Date): boolean {
  return time !== undefined && time < limit;
}

/** The part of A9 that a payment's own documents tell: an undone payment gives its fraud tally back. */
export function judgeTally({ payment, check }: PaymentCase): readonly Violation[] {
  if (!payment.final || !isUndone(payment.status) || !check || check.tallied === 0n) return [];
  const detail = `is ${payment.status}, but ${check.tallied} is still in the fraud tally`;
  return [{ invariant: "A9", id: payment.paymentId, detail }];
}

/** The part of A9 that Fraud's own documents tell: a tally that is wrong lets through or stops the wrong payments. */
export function judgeTallySum({ name, tally, checks }: TallyBook): readonly Violation[] {
  if (tally === checks) return [];
  return [{ invariant: "A9", id: name, detail: `tallied ${tally}, its checks sum to ${checks}` }];
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
