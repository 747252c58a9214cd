import type { Scope } from "#kit/pure/scope.ts";
import { type Attention, collectAttention } from "../domain/attention.ts";
import type { Findings } from "../domain/invariants.ts";
import { collectFindings, type InvariantFinding } from "../domain/invariants.ts";
import { type Acknowledgement, judgeAcknowledgement } from "../domain/judge-acknowledgement.ts";
import { auditHolds, auditLedger, auditProviderTransfers, auditTallies } from "./audit-ledger.ts";
import { auditPayments, auditRequestIds } from "./audit-payments.ts";
import { auditWaiting } from "./audit-waiting.ts";
import type { AuditDeps, Books } from "./books.ts";

/** What an audit found. */
export interface AuditReport {
  readonly ok: boolean;
  /** A1 to A11, in order. */
  readonly invariants: readonly InvariantFinding[];
  readonly openPayments: bigint;
  readonly finalPayments: bigint;
  readonly transfers: bigint;
  readonly snapshotTime: Date;
  /** What breaks nothing and a person should know of. */
  readonly attention: readonly Attention[];
}

/** How far an audit is. */
export interface AuditProgress {
  readonly checkedPayments: bigint;
  readonly totalPayments: bigint;
}

/**
 * Proves A1 to A11 from the books of all services in one snapshot, and the provider's book as it is now. Changes
 * nothing. Fails with GATEWAY_UNAVAILABLE and SNAPSHOT_LOST: an audit that could not look is no clean one.
 */
export async function audit(
  deps: AuditDeps,
  scope: Scope,
  input: {
    readonly acknowledgements: readonly Acknowledgement[];
    readonly signal: AbortSignal;
    /** Told as it goes on; never more often than once for some hundred payments. */
    readonly onProgress?: (progress: AuditProgress) => void;
  },
): Promise<AuditReport> {
  const { signal, onProgress } = input;
  await using books = await deps.openBooks(scope);
  const findings = collectFindings();
  const attention = collectAttention();
  const totalPayments = await books.countPayments();
  onProgress?.({ checkedPayments: 0n, totalPayments });
  const tasks = await auditWaiting(books, attention);
  const transfers = await auditLedger(books, findings, attention, tasks);
  await auditRequestIds(books, findings);
  let checkedPayments = 0n;
  const onChecked = (payments: bigint): void => {
    checkedPayments += payments;
    onProgress?.({ checkedPayments, totalPayments });
  };
  const walk = { findings, attention, signal, onChecked };
  const { finalPayments, openPayments } = await auditPayments(deps, scope, books, walk);
  await auditTallies(books, findings);
  await auditHolds(books, findings);
  await auditProviderTransfers(books, findings);
  await auditAcknowledgements(books, findings, input.acknowledgements);
  const invariants = findings.summary();
  return {
    ok: invariants.every(({ result }) => result !== "BROKEN"),
    invariants,
    openPayments,
    finalPayments,
    transfers,
    snapshotTime: books.snapshotTime,
    attention: attention.summary(),
  };
}

async function auditAcknowledgements(
  books: Books,
  findings: Findings,
  acknowledgements: readonly Acknowledgement[],
): Promise<void> {
  const payments = await books.paymentsById(acknowledgements.map(({ paymentId }) => paymentId));
  for (const told of acknowledgements) {
    findings.looked("A10");
    findings.broken(judgeAcknowledgement(told, payments.get(told.paymentId)));
  }
}
