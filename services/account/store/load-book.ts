import type { ClientSession } from "mongodb";
import { type Key, key } from "#kit/mongo/key.ts";
import type { Account } from "../domain/account.ts";
import { fundingAccountId } from "../domain/account.ts";
import { Book, keyOf } from "../domain/book.ts";
import type { LedgerRequest } from "../domain/request.ts";
import type { Hold, Transfer } from "../domain/transfer.ts";
import type { AccountCache } from "./account-cache.ts";
import { accountFromRow, holdFromRow, type LedgerCollections, transferFromRow } from "./rows.ts";

/** Distinct keys of documents, by name. */
class Keys {
  readonly #keys = new Map<string, Key>();

  add(tenant: string, id: string): void {
    if (id !== "") this.#keys.set(keyOf({ tenant, id }), key({ tenant }, id));
  }

  entries(): IterableIterator<[string, Key]> {
    return this.#keys.entries();
  }

  list(): Key[] {
    return [...this.#keys.values()];
  }
}

/** A book with everything the batch may look at, and the names of its accounts. */
export interface LoadedBook {
  readonly book: Book;
  readonly accountKeys: readonly string[];
}

/**
 * Reads what a batch needs inside its transaction: first every id of the batch, so that known ones are answered
 * from the store, then the accounts that are not cached, those of stored holds and transfers included.
 */
export async function loadBook(
  deps: { readonly rows: LedgerCollections; readonly cache: AccountCache; readonly now: Date },
  session: ClientSession,
  requests: readonly LedgerRequest[],
): Promise<LoadedBook> {
  const { transferKeys, holdKeys, accountKeys } = namedKeys(requests);
  const transfers = await findTransfers(deps.rows, session, transferKeys.list());
  const holds = await findHolds(deps.rows, session, holdKeys.list());
  for (const row of transfers) {
    accountKeys.add(row.tenant, row.sourceAccountId);
    accountKeys.add(row.tenant, row.destinationAccountId);
  }
  for (const row of holds) {
    accountKeys.add(row.tenant, row.accountId);
    accountKeys.add(row.tenant, row.destinationAccountId);
  }
  const accounts = await findAccounts(deps, session, accountKeys);
  const book = new Book(deps.now, { accounts, transfers, holds });
  return { book, accountKeys: [...accountKeys.entries()].map(([name]) => name) };
}

function namedKeys(requests: readonly LedgerRequest[]): {
  transferKeys: Keys;
  holdKeys: Keys;
  accountKeys: Keys;
} {
  const keys = { transferKeys: new Keys(), holdKeys: new Keys(), accountKeys: new Keys() };
  for (const request of requests) addKeys(keys, request);
  return keys;
}

function addKeys(keys: ReturnType<typeof namedKeys>, request: LedgerRequest): void {
  const { tenant } = request;
  switch (request.kind) {
    case "TRANSFER":
      keys.transferKeys.add(tenant, request.id);
      keys.accountKeys.add(tenant, request.sourceAccountId);
      keys.accountKeys.add(tenant, request.destinationAccountId);
      return;
    case "PLACE_HOLD":
      keys.holdKeys.add(tenant, request.id);
      keys.accountKeys.add(tenant, request.accountId);
      keys.accountKeys.add(tenant, request.destinationAccountId);
      return;
    case "CAPTURE_HOLD":
      keys.transferKeys.add(tenant, request.id);
      keys.holdKeys.add(tenant, request.holdId);
      return;
    case "RELEASE_HOLD":
      keys.holdKeys.add(tenant, request.holdId);
      return;
    case "REVERSE":
      keys.transferKeys.add(tenant, request.id);
      keys.transferKeys.add(tenant, request.reversalId);
      return;
    case "OPENING":
      keys.transferKeys.add(tenant, request.id);
      keys.accountKeys.add(tenant, request.accountId);
      keys.accountKeys.add(tenant, fundingAccountId(request.amount.currencyCode));
      return;
  }
}

async function findTransfers(
  rows: LedgerCollections,
  session: ClientSession,
  keys: Key[],
): Promise<Transfer[]> {
  if (keys.length === 0) return [];
  const found = await rows.transfers.find({ _id: { $in: keys } }, { session }).toArray();
  return found.map(transferFromRow);
}

async function findHolds(
  rows: LedgerCollections,
  session: ClientSession,
  keys: Key[],
): Promise<Hold[]> {
  if (keys.length === 0) return [];
  const found = await rows.holds.find({ _id: { $in: keys } }, { session }).toArray();
  return found.map(holdFromRow);
}

async function findAccounts(
  deps: { readonly rows: LedgerCollections; readonly cache: AccountCache },
  session: ClientSession,
  keys: Keys,
): Promise<Account[]> {
  const accounts: Account[] = [];
  const missing: Key[] = [];
  for (const [name, id] of keys.entries()) {
    const cached = deps.cache.get(name);
    if (cached === undefined) missing.push(id);
    else accounts.push(cached);
  }
  if (missing.length === 0) return accounts;
  const found = await deps.rows.accounts.find({ _id: { $in: missing } }, { session }).toArray();
  return [...accounts, ...found.map(accountFromRow)];
}
