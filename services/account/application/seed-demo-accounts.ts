import { INT64_MAX, type Money } from "#kit/pure/money.ts";
import type { AccountDeps } from "./ports.ts";
import { accepted } from "./refuse.ts";

interface DemoAccount {
  readonly id: string;
  readonly ownerId: string;
  readonly amount: Money;
}

const usd = (minorUnits: bigint): Money => ({ currencyCode: "USD", minorUnits });

/** The source system's four accounts, and two that look like real ones. Account 4 can take nothing more. */
const DEMO_ACCOUNTS: readonly DemoAccount[] = [
  { id: "1", ownerId: "1", amount: usd(1_000n) },
  { id: "2", ownerId: "2", amount: usd(1_000n) },
  { id: "3", ownerId: "3", amount: usd(0n) },
  { id: "4", ownerId: "4", amount: { currencyCode: "XTS", minorUnits: INT64_MAX } },
  { id: "alice-checking", ownerId: "alice", amount: usd(250_000n) },
  { id: "bob-eur", ownerId: "bob", amount: { currencyCode: "EUR", minorUnits: 120_000n } },
];

/**
 * Opens the demo accounts in tenant `default`, only when the ledger has no account at all: a restart must never
 * touch a balance. All are submitted in one turn and so opened by one transaction. Answers whether it did.
 */
export async function seedDemoAccounts(deps: AccountDeps): Promise<boolean> {
  if (!(await deps.store.isEmpty())) return false;
  const opened = DEMO_ACCOUNTS.map((account) => openingTransfer(deps, account));
  await Promise.all(opened);
  return true;
}

/** Opens an account with money from funding, outside the cap on requests. Does nothing when it exists. */
export async function openingTransfer(deps: AccountDeps, account: DemoAccount): Promise<void> {
  const { id: accountId, ownerId, amount } = account;
  const outcome = await deps.ledger.submit({
    kind: "OPENING",
    tenant: "default",
    id: `opening:${accountId}`,
    accountId,
    ownerId,
    amount,
  });
  accepted(outcome);
}
