import type { AttentionList } from "../domain/attention.ts";
import { type HoldBook, namesOf, PROVIDER_PREFIX, SUSPENSE_PREFIX } from "../domain/books.ts";
import type { Findings } from "../domain/invariants.ts";
import { type AccountCase, judgeAccount, judgeCurrency } from "../domain/judge-accounts.ts";
import { isPayout, ownerOfProviderTransfer, strayTransfer } from "../domain/judge-ledger.ts";
import { judgeTallySum } from "../domain/judge-payment.ts";
import type { SuspenseTasks } from "./audit-waiting.ts";
import type { Books } from "./books.ts";

/** A1 to A3, and what lies in suspense with the tasks about it. Answers how many transfers are posted. */
export async function auditLedger(
  books: Books,
  findings: Findings,
  attention: AttentionList,
  tasks: SuspenseTasks,
): Promise<bigint> {
  for await (const { currencyCode, total } of books.balances()) {
    findings.broken(judgeCurrency(currencyCode, total));
  }
  for await (const account of books.accounts()) {
    findings.looked("A2");
    if (account.account && account.account.kind !== "SYSTEM") findings.looked("A3");
    findings.broken(judgeAccount(account));
    noteSuspense(account, attention, tasks);
  }
  const transfers = (await books.countPostedLegs()) / 2n;
  findings.looked("A1", transfers);
  return transfers;
}

function noteSuspense(
  { accountId: id, account }: AccountCase,
  attention: AttentionList,
  tasks: SuspenseTasks,
): void {
  if (!id.startsWith(SUSPENSE_PREFIX) || !account || account.balance === 0n) return;
  const { balance, currencyCode } = account;
  const named = tasks.get(currencyCode)?.join(", ") ?? "no task says whose it is";
  attention.note("SUSPENSE", {
    id,
    detail: `${balance} ${currencyCode}: ${named}`,
    since: undefined,
  });
}

/** The part of A9 about Fraud's tallies. */
export async function auditTallies(books: Books, findings: Findings): Promise<void> {
  for await (const tally of books.tallies()) {
    findings.looked("A9");
    findings.broken(judgeTallySum(tally));
  }
}

/**
 * A9: what is held for a payment belongs to one that has not ended. A hold is a payment's when its name or its
 * destination says so; what a caller of Account's own API holds is that caller's business.
 */
export async function auditHolds(books: Books, findings: Findings): Promise<void> {
  for await (const batch of books.heldHolds()) {
    const ours = batch.filter(isOfPayment);
    const payments = await books.paymentsById(ours.map(paymentIdOf));
    findings.looked("A9", BigInt(ours.length));
    for (const hold of ours) {
      const payment = payments.get(paymentIdOf(hold));
      if (payment && !payment.final) continue;
      const owner = payment
        ? `payment ${payment.paymentId} is ${payment.status}`
        : "it is no payment's";
      const detail = `holds ${hold.amount} ${hold.currencyCode} of ${hold.accountId}, but ${owner}`;
      findings.broken([{ invariant: "A9", id: hold.holdId, detail }]);
    }
  }
}

function isOfPayment({ holdId, destinationAccountId }: HoldBook): boolean {
  return (
    destinationAccountId.startsWith(PROVIDER_PREFIX) ||
    holdId === namesOf.hold(paymentIdOf({ holdId }))
  );
}

function paymentIdOf({ holdId }: Pick<HoldBook, "holdId">): string {
  return holdId.replace(/:hold$/, "");
}

/** A6 from the ledger's side: money goes to and from a provider only for payments and refunds. */
export async function auditProviderTransfers(books: Books, findings: Findings): Promise<void> {
  for await (const batch of books.providerTransfers()) {
    const owned = batch.map((transfer) => ({
      transfer,
      owner: ownerOfProviderTransfer(transfer.transactionId),
    }));
    const ids = (kind: string): string[] =>
      owned.flatMap(({ owner }) => (owner?.kind === kind ? [owner.id] : []));
    const payments = await books.paymentsById(ids("payment"));
    const refunds = await books.refundIds(ids("refund"));
    for (const { transfer, owner } of owned) {
      const known =
        owner && (owner.kind === "payment" ? payments.has(owner.id) : refunds.has(owner.id));
      if (!known && !isPayout(transfer)) findings.broken([strayTransfer(transfer)]);
    }
  }
}
