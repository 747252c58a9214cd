import { pageSize, pageToken, readPageToken } from "#kit/page.ts";
import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { type Account, availableOf } from "../domain/account.ts";
import type { DeclineReason } from "../reasons.ts";
import type { AccountDeps } from "./ports.ts";
import { checkAmount, refusal } from "./refuse.ts";

/** Reads an account. Refuses with ACCOUNT_NOT_FOUND. */
export async function getAccount(deps: AccountDeps, scope: Scope, id: string): Promise<Account> {
  const account = await deps.store.findAccount(scope, id);
  if (account === undefined) throw refusal("ACCOUNT_NOT_FOUND", { account_id: id });
  return account;
}

/** A page of accounts by id. Refuses with INVALID_PAGE_TOKEN. */
export async function listAccounts(
  deps: AccountDeps,
  scope: Scope,
  input: { readonly ownerId: string; readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly accounts: readonly Account[]; readonly nextPageToken: string }> {
  const filter = { list: "accounts", tenant: scope.tenant, ownerId: input.ownerId };
  const [afterId = ""] = readPageToken(input.pageToken, filter, 1) ?? [];
  const limit = pageSize(input.pageSize);
  const page = { ownerId: input.ownerId, afterId, limit: limit + 1 };
  const found = await deps.store.listAccounts(scope, page);
  const accounts = found.slice(0, limit);
  const last = found.length > limit ? accounts.at(-1) : undefined;
  return { accounts, nextPageToken: last ? pageToken(filter, [last.id]) : "" };
}

/** Why a debit of the amount would not pass now, or undefined. Advice only. */
export async function validate(
  deps: AccountDeps,
  scope: Scope,
  input: { readonly accountId: string; readonly amount: Money },
): Promise<DeclineReason | undefined> {
  checkAmount(input.amount);
  const account = await deps.store.findAccount(scope, input.accountId);
  if (account === undefined) return "ACCOUNT_NOT_FOUND";
  if (account.currencyCode !== input.amount.currencyCode) return "CURRENCY_MISMATCH";
  if (account.state === "FROZEN") return "ACCOUNT_FROZEN";
  const short = account.kind === "CUSTOMER" && availableOf(account) < input.amount.minorUnits;
  return short ? "INSUFFICIENT_FUNDS" : undefined;
}
