import type { Scope } from "#kit/pure/scope.ts";
import { type GatewayBook, namesOf, type PaymentCase } from "../domain/books.ts";
import { type Findings, NAMED_VIOLATIONS_MAX } from "../domain/invariants.ts";
import { judgeGateway, strayTransaction } from "../domain/judge-gateway.ts";
import type { AuditDeps, Books } from "./books.ts";

interface Comparison {
  readonly scope: Scope;
  readonly books: Pick<Books, "versionsNow">;
  readonly findings: Findings;
  readonly signal: AbortSignal;
}

/**
 * A7: walks the provider's book beside ours, both by payment id, in bounded memory. The provider is read as it is
 * now, which is after the snapshot: whatever seems to disagree is looked at again, and a payment whose row has
 * changed since the snapshot is left to the next audit.
 */
export function compareGateway(
  deps: Pick<AuditDeps, "gateway" | "clock">,
  comparison: Comparison,
): {
  /** Compares a batch of final payments; batches come by payment id. */
  compare(batch: readonly PaymentCase[]): Promise<void>;
  /** Reads what is left of the provider's book. */
  finish(): Promise<void>;
} {
  const { scope, signal } = comparison;
  const pages = deps.gateway.transactions(scope, signal)[Symbol.asyncIterator]();
  let waiting: readonly GatewayBook[] = [];
  let ended = false;
  // One page is fetched while the one before is compared.
  const fetchPage = (): ReturnType<typeof pages.next> => {
    const page = pages.next();
    // Awaited in its turn; without this line a failure before that would end the process.
    page.catch(() => undefined);
    return page;
  };
  let ahead = fetchPage();

  const nextPage = async (): Promise<void> => {
    const page = await ahead;
    if (page.done) {
      ended = true;
      return;
    }
    waiting = [...waiting, ...page.value];
    ahead = fetchPage();
  };
  const takeUpTo = async (key: string): Promise<readonly GatewayBook[]> => {
    while (!ended && (waiting.at(-1)?.authorizationKey ?? "") <= key) await nextPage();
    const taken = waiting.filter(({ authorizationKey }) => authorizationKey <= key);
    waiting = waiting.filter(({ authorizationKey }) => authorizationKey > key);
    return taken;
  };
  return {
    async compare(batch) {
      const last = batch.at(-1);
      if (last === undefined) return;
      const taken = await takeUpTo(namesOf.authorize(last.payment.paymentId));
      const strays = await compareBatch(deps, comparison, batch, taken);
      await reportStrays(comparison, strays);
    },
    async finish() {
      await reportStrays(comparison, waiting);
      waiting = [];
      while (!ended) {
        await nextPage();
        await reportStrays(comparison, waiting);
        waiting = [];
      }
    },
  };
}

/** Answers the transactions that belong to no payment of the batch. */
async function compareBatch(
  deps: Pick<AuditDeps, "gateway" | "clock">,
  comparison: Comparison,
  batch: readonly PaymentCase[],
  transactions: readonly GatewayBook[],
): Promise<readonly GatewayBook[]> {
  const byKey = new Map(
    transactions.map((transaction) => [transaction.authorizationKey, transaction]),
  );
  const suspects: PaymentCase[] = [];
  for (const payment of batch) {
    const authorizationKey = namesOf.authorize(payment.payment.paymentId);
    const violations = judgeGateway(payment, byKey.get(authorizationKey), deps.clock());
    if (violations.length > 0) suspects.push(payment);
    byKey.delete(authorizationKey);
  }
  await confirm(deps, comparison, suspects);
  return [...byKey.values()];
}

/** Looks again at what seems to disagree. Once enough is named, asking for each one more tells nobody more. */
async function confirm(
  deps: Pick<AuditDeps, "gateway" | "clock">,
  { scope, books, findings, signal }: Comparison,
  suspects: readonly PaymentCase[],
): Promise<void> {
  if (suspects.length === 0) return;
  const asked = new Map<string, GatewayBook | undefined>();
  for (const { payment } of suspects.slice(0, NAMED_VIOLATIONS_MAX)) {
    const key = namesOf.authorize(payment.paymentId);
    asked.set(payment.paymentId, await deps.gateway.transaction(scope, key, signal));
  }
  // After the provider was asked: what it did since the snapshot stood in our row before.
  const versions = await books.versionsNow(suspects.map(({ payment }) => payment.paymentId));
  for (const suspect of suspects) {
    const { paymentId, version } = suspect.payment;
    if (versions.get(paymentId) !== version) continue;
    if (asked.has(paymentId))
      findings.broken(judgeGateway(suspect, asked.get(paymentId), deps.clock()));
    else
      findings.broken([{ invariant: "A7", id: paymentId, detail: "the provider's book differs" }]);
  }
}

/** Payments that are open or began after the snapshot are left out; the rest has no payment, or is its second. */
async function reportStrays(
  { books, findings }: Comparison,
  strays: readonly GatewayBook[],
): Promise<void> {
  if (strays.length === 0) return;
  const versions = await books.versionsNow(
    strays.map(({ merchantReference }) => merchantReference),
  );
  for (const stray of strays) {
    const exists = versions.has(stray.merchantReference);
    const own = stray.authorizationKey === namesOf.authorize(stray.merchantReference);
    if (exists && own) continue;
    findings.broken(strayTransaction(stray, exists));
  }
}
