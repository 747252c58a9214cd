import type { Scope } from "#kit/pure/scope.ts";
import type { Findings } from "../domain/invariants.ts";
import { collectFindings, type InvariantFinding } from "../domain/invariants.ts";
import { type Acknowledgement, judgeAcknowledgement } from "../domain/judge-acknowledgement.ts";
import { auditHolds, auditLedger, auditProviderTransfers } from "./audit-ledger.ts";
import { auditPayments, auditRequestIds } from "./audit-payments.ts";
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
}

/**
 * Proves A1 to A11 from the books of all services in one snapshot, and the provider's book as it is now. Changes
 * nothing. Fails with GATEWAY_UNAVAILABLE and SNAPSHOT_LOST: an audit that could not look is no clean one.
 */
export async function audit(
  deps: AuditDeps,
  scope: Scope,
  input: { readonly acknowledgements: readonly Acknowledgement[]; readonly signal: AbortSignal },
): Promise<AuditReport> {
  await using books = await deps.openBooks(scope);
  const findings = collectFindings();
  const transfers = await auditLedger(books, findings);
  await auditRequestIds(books, findings);
  const { finalPayments, openPayments } = await auditPayments(
    deps,
    scope,
    books,
    findings,
    input.signal,
  );
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
