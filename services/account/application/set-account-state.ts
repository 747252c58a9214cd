import type { Scope } from "#kit/pure/scope.ts";
import { refuseField } from "#kit/refusal.ts";
import { type Account, type AccountState, isReservedId } from "../domain/account.ts";
import type { AccountDeps } from "./ports.ts";
import { refusal } from "./refuse.ts";

/**
 * Freezes or unfreezes a customer account. The version rises with it, so no debit that was decided on the
 * old state can commit afterwards, in whichever process.
 */
export async function setAccountState(
  deps: AccountDeps,
  scope: Scope,
  input: { readonly accountId: string; readonly state: AccountState },
): Promise<Account> {
  if (isReservedId(input.accountId)) {
    throw refuseField("account_id", "system accounts are never frozen");
  }
  const { accountId, state } = input;
  const account = await deps.store.setAccountState(scope, accountId, state, deps.now());
  if (account === undefined) throw refusal("ACCOUNT_NOT_FOUND", { account_id: accountId });
  return account;
}
