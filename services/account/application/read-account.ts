import { type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { type Account, availableOf } from "../domain/account.ts";
import type { DeclineReason } from "../reasons.ts";
import { ACCOUNT_LIST } from "./lists.ts";
import type { AccountDeps } from "./ports.ts";
import { checkAmount, refusal } from "./refuse.ts";

/** Reads an account. Refuses with ACCOUNT_NOT_FOUND. */
export async function getAccount(deps: AccountDeps, scope: Scope, id: string): Promise<Account> {
  const account = await deps.store.findAccount(scope, id);
  if (account === undefined) throw refusal("ACCOUNT_NOT_FOUND", { account_id: id });
  return account;
}

/** A page of accounts. Refuses with INVALID_PAGE_TOKEN, and INVALID_FIELD for a filter or order it does not know. */
export async function listAccounts(
  deps: AccountDeps,
  scope: Scope,
  input: ListRequest & { readonly ownerId: string },
): Promise<ListPage<Account>> {
  const { ownerId } = input;
  return readList(ACCOUNT_LIST, scope, input, {
    fixed: ownerId === "" ? [] : [{ field: "owner_id", operator: "=", value: ownerId }],
    find: (query) => deps.store.listAccounts(scope, query),
    positionOf: (account, order) =>
      order === "create_time" ? [account.createTime, account.id] : [account.id],
  });
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
