import { checkEtag } from "#kit/etag.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal, refuseField } from "#kit/refusal.ts";
import { type Account, type AccountState, etagOf, isReservedId } from "../domain/account.ts";
import type { AccountDeps } from "./ports.ts";
import { getAccount } from "./read-account.ts";
import { refusal } from "./refuse.ts";

/**
 * Freezes or unfreezes a customer account. The version rises with it, so no debit that was decided on the
 * old state can commit afterwards, in whichever process. Fails with ETAG_MISMATCH when an etag is given and the
 * account changed meanwhile.
 */
export async function setAccountState(
  deps: AccountDeps,
  scope: Scope,
  input: { readonly accountId: string; readonly state: AccountState; readonly etag?: string },
): Promise<Account> {
  if (isReservedId(input.accountId)) {
    throw refuseField("account_id", "system accounts are never frozen");
  }
  const { accountId, state, etag = "" } = input;
  const found = await getAccount(deps, scope, accountId);
  // A repeat of a call that was cut off finds what that call made of the version it names.
  if (found.state === state && isAfter(found, etag)) return found;
  checkEtag(etag, etagOf(found));
  if (etag === "") return await written(deps, scope, input);
  return await written(deps, scope, input, found.version);
}

async function written(
  deps: AccountDeps,
  scope: Scope,
  { accountId, state }: { readonly accountId: string; readonly state: AccountState },
  version?: bigint,
): Promise<Account> {
  const change = { state, now: deps.now(), ...(version === undefined ? {} : { version }) };
  const account = await deps.store.setAccountState(scope, accountId, change);
  if (account !== undefined) return account;
  if (version === undefined) throw refusal("ACCOUNT_NOT_FOUND", { account_id: accountId });
  // Somebody moved money between our reading and our writing.
  throw new Refusal("ETAG_MISMATCH");
}

function isAfter(account: Account, etag: string): boolean {
  return etag !== "" && etagOf({ version: account.version - 1n }) === etag.replaceAll('"', "");
}
