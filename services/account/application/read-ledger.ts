import { type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { Hold, Transfer } from "../domain/transfer.ts";
import { ENTRY_LIST } from "./lists.ts";
import type { AccountDeps, TransferView } from "./ports.ts";
import { refusal } from "./refuse.ts";
import { reversalIdOf } from "./reversal-id.ts";

/** Reads a transfer, a stored decline or a tombstone. Refuses with TRANSACTION_NOT_FOUND. */
export async function getTransaction(
  deps: AccountDeps,
  scope: Scope,
  id: string,
): Promise<TransferView> {
  const found = await deps.store.findTransfer(scope, id, reversalIdOf(id));
  if (found === undefined) throw refusal("TRANSACTION_NOT_FOUND", { transaction_id: id });
  return found;
}

/** Reads a hold, a stored decline or a tombstone. Refuses with HOLD_NOT_FOUND. */
export async function getHold(deps: AccountDeps, scope: Scope, id: string): Promise<Hold> {
  const hold = await deps.store.findHold(scope, id);
  if (hold === undefined) throw refusal("HOLD_NOT_FOUND", { hold_id: id });
  return hold;
}

/**
 * A page of an account's postings, newest first. Refuses with ACCOUNT_NOT_FOUND, INVALID_PAGE_TOKEN, and INVALID_FIELD
 * for a filter or order it does not know.
 */
export async function listEntries(
  deps: AccountDeps,
  scope: Scope,
  input: ListRequest & { readonly accountId: string },
): Promise<ListPage<Transfer>> {
  const { accountId } = input;
  const spec = { ...ENTRY_LIST, name: `${ENTRY_LIST.name} of ${accountId}` };
  const page = await readList(spec, scope, input, {
    find: (query) => deps.store.listPostings(scope, accountId, query),
    positionOf: ({ order, id }) => [order ?? 0n, id],
  });
  if (page.items.length === 0 && (await deps.store.findAccount(scope, accountId)) === undefined) {
    throw refusal("ACCOUNT_NOT_FOUND", { account_id: accountId });
  }
  return page;
}
