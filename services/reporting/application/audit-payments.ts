import type { Scope } from "#kit/pure/scope.ts";
import type { AttentionList } from "../domain/attention.ts";
import { isOpen, type PaymentCase } from "../domain/books.ts";
import type { Findings } from "../domain/invariants.ts";
import { judgeLedger } from "../domain/judge-ledger.ts";
import { judgeEnd, judgeNotices, judgeRefunds, judgeTally } from "../domain/judge-payment.ts";
import type { AuditDeps, Books } from "./books.ts";
import { compareGateway } from "./compare-gateway.ts";

/** What a walk through all payments fills, and whom it tells. */
export interface Walk {
  readonly findings: Findings;
  readonly attention: AttentionList;
  readonly signal: AbortSignal;
  /** Told after each batch how many payments it had. */
  readonly onChecked: (payments: bigint) => void;
}

/** A5 to A8, A11 and the tallies of A9, payment by payment. */
export async function auditPayments(
  deps: AuditDeps,
  scope: Scope,
  books: Books,
  { findings, attention, signal, onChecked }: Walk,
): Promise<{ readonly finalPayments: bigint; readonly openPayments: bigint }> {
  const keptSince = new Date(books.snapshotTime.getTime() - deps.messagesKeptMs);
  let finalPayments = 0n;
  let openPayments = 0n;
  const comparison = compareGateway(deps, { scope, books, findings, signal });
  for await (const batch of books.payments()) {
    signal.throwIfAborted();
    for (const payment of batch) {
      if (isOpen(payment)) openPayments += 1n;
      if (payment.payment.final) finalPayments += 1n;
      judgeOne(payment, findings, keptSince);
      noteOne(payment, attention);
    }
    onChecked(BigInt(batch.length));
    await comparison.compare(batch.filter(({ payment }) => payment.final));
  }
  await comparison.finish();
  await auditRepeatedNotices(books, findings);
  return { finalPayments, openPayments };
}

/** The part of A8 no payment's own documents tell. Messages about payments that nobody has are no payment's end. */
async function auditRepeatedNotices(books: Books, findings: Findings): Promise<void> {
  for await (const batch of books.repeatedNotices()) {
    const payments = await books.paymentsById(batch.map(({ paymentId }) => paymentId));
    const violations = batch
      .filter(({ paymentId }) => payments.has(paymentId))
      .map(({ paymentId, templates }) => {
        const detail = `its end is told more than once: ${templates.join(", ")}`;
        return { invariant: "A8" as const, id: paymentId, detail };
      });
    findings.broken(violations);
  }
}

function judgeOne(payment: PaymentCase, findings: Findings, keptSince: Date): void {
  findings.looked("A4");
  findings.looked("A5");
  findings.looked("A11");
  findings.broken([...judgeEnd(payment), ...judgeRefunds(payment)]);
  if (!payment.payment.final) return;
  for (const invariant of ["A6", "A7", "A8", "A9"] as const) findings.looked(invariant);
  findings.broken([
    ...judgeLedger(payment),
    ...judgeNotices(payment, keptSince),
    ...judgeTally(payment),
  ]);
}

/** A payment that has not ended, or whose end nobody was told. */
function noteOne({ payment, refunds }: PaymentCase, attention: AttentionList): void {
  const { paymentId: id, status, phase, createTime: since } = payment;
  if (!payment.final) {
    attention.note("OPEN_PAYMENT", { id, detail: `is ${status}`, since });
    if (phase === "UNDOING") attention.note("UNDOING", { id, detail: `is ${status}`, since });
  }
  if (payment.notifyPending) {
    const detail = "how it ended is not told";
    attention.note("UNDELIVERED_MESSAGE", { id, detail, since: payment.finalTime });
  }
  for (const refund of refunds.filter(({ notifyPending }) => notifyPending)) {
    const detail = `refund of payment ${id} is not told`;
    attention.note("UNDELIVERED_MESSAGE", {
      id: refund.refundId,
      detail,
      since: refund.updateTime,
    });
  }
}

/** A4. */
export async function auditRequestIds(books: Books, findings: Findings): Promise<void> {
  for await (const { requestId, paymentIds } of books.reusedRequestIds()) {
    const detail = `made the payments ${paymentIds.join(", ")}`;
    findings.broken([{ invariant: "A4", id: requestId, detail }]);
  }
}
