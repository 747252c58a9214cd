import { pageSize, pageToken, readPageToken } from "#kit/page.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Hold, Transfer } from "../domain/transfer.ts";
import type { AccountDeps, EntryPosition, TransferView } from "./ports.ts";
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

/** A page of an account's postings, newest first. Refuses with ACCOUNT_NOT_FOUND, INVALID_PAGE_TOKEN. */
export async function listEntries(
  deps: AccountDeps,
  scope: Scope,
  input: { readonly accountId: string; readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly postings: readonly Transfer[]; readonly nextPageToken: string }> {
  const { accountId } = input;
  const filter = { list: "entries", tenant: scope.tenant, accountId };
  const after = position(readPageToken(input.pageToken, filter, 2));
  const limit = pageSize(input.pageSize);
  const found = await deps.store.listPostings(scope, accountId, { after, limit: limit + 1 });
  if (found.length === 0 && (await deps.store.findAccount(scope, accountId)) === undefined) {
    throw refusal("ACCOUNT_NOT_FOUND", { account_id: accountId });
  }
  const postings = found.slice(0, limit);
  const last = found.length > limit ? postings.at(-1) : undefined;
  const nextPageToken = last ? pageToken(filter, [`${last.order ?? 0n}`, last.id]) : "";
  return { postings, nextPageToken };
}

function position(parts: readonly string[] | undefined): EntryPosition | undefined {
  if (parts === undefined) return undefined;
  const [order = "", id = ""] = parts;
  // The filter's hash is no signature: somebody may write a token with anything in it.
  if (!/^\d{1,19}$/.test(order)) throw new Refusal("INVALID_PAGE_TOKEN");
  return { order: BigInt.asIntN(64, BigInt(order)), id };
}
