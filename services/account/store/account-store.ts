import { type Db, MongoServerError } from "mongodb";
import type { ListQuery } from "#kit/list/spec.ts";
import { key } from "#kit/mongo/key.ts";
import {
  type ListColumns,
  listConditions,
  listFilter,
  listSort,
  listWhere,
} from "#kit/mongo/list.ts";
import { mayUse, type Scope } from "#kit/pure/scope.ts";
import type { Account, AccountState } from "../domain/account.ts";
import type { Hold, Transfer } from "../domain/transfer.ts";
import {
  type AccountRow,
  accountFromRow,
  accountToRow,
  holdFromRow,
  type LedgerCollections,
  ledgerCollections,
  type TransferRow,
  transferFromRow,
} from "./rows.ts";

const DUPLICATE_KEY = 11_000;

/** Reads of the ledger, and the changes of an account that move no money. */
export function createAccountStore(db: Db) {
  const rows = ledgerCollections(db);
  return {
    findAccount: (scope: Scope, id: string) => findAccount(rows, scope, id),
    listAccounts: (scope: Scope, query: ListQuery) => listAccounts(rows, scope, query),
    insertAccount: (scope: Scope, account: Account, requestId: string) =>
      insertAccount(rows, scope, account, requestId),
    setAccountState: (scope: Scope, id: string, change: StateChange) =>
      setAccountState(rows, scope, id, change),
    findTransfer: (scope: Scope, id: string, reversalId: string) =>
      findTransfer(rows, scope, id, reversalId),
    findHold: (scope: Scope, id: string) => findHold(rows, scope, id),
    listPostings: (scope: Scope, accountId: string, query: ListQuery) =>
      listPostings(rows, scope, accountId, query),
    isEmpty: async () => (await rows.accounts.findOne({}, { projection: { _id: 1 } })) === null,
  };
}

async function findAccount(
  rows: LedgerCollections,
  scope: Scope,
  id: string,
): Promise<Account | undefined> {
  if (!mayUse(scope, id)) return undefined;
  const row = await rows.accounts.findOne({ _id: key(scope, id) });
  return row === null ? undefined : accountFromRow(row);
}

const ACCOUNT_COLUMNS: ListColumns = {
  fields: {
    account_id: "_id.id",
    owner_id: "ownerId",
    currency_code: "currencyCode",
    state: "state",
    create_time: "createTime",
  },
  sorts: { account_id: ["_id.id"], create_time: ["createTime", "_id.id"] },
};

async function listAccounts(
  rows: LedgerCollections,
  scope: Scope,
  query: ListQuery,
): Promise<Account[]> {
  const found = await rows.accounts
    .find(listFilter<AccountRow>(scope, query, ACCOUNT_COLUMNS))
    .sort(listSort(query, ACCOUNT_COLUMNS))
    .limit(query.limit)
    .toArray();
  return found.map(accountFromRow);
}

/** The unique indexes decide who is first; the loser is told by whom. */
async function insertAccount(
  rows: LedgerCollections,
  scope: Scope,
  account: Account,
  requestId: string,
): Promise<{ account: Account; requestId: string }> {
  try {
    await rows.accounts.insertOne(accountToRow(account, requestId));
    return { account, requestId };
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    const taken =
      (await rows.accounts.findOne({ _id: key(scope, account.id) })) ??
      (await rows.accounts.findOne({
        "_id.tenant": scope.tenant,
        ownerId: account.ownerId,
        currencyCode: account.currencyCode,
      }));
    if (taken === null) throw error;
    return { account: accountFromRow(taken), requestId: taken.requestId };
  }
}

/** With a version, the change happens only to that one. */
interface StateChange {
  readonly state: AccountState;
  readonly now: Date;
  readonly version?: bigint;
}

async function setAccountState(
  rows: LedgerCollections,
  scope: Scope,
  id: string,
  change: StateChange,
): Promise<Account | undefined> {
  const _id = key(scope, id);
  const version = change.version === undefined ? {} : { version: change.version };
  // One atomic write that raises the version: a batch that read the old state loses its guard.
  const changed = await rows.accounts.findOneAndUpdate(
    { _id, kind: "CUSTOMER", state: { $ne: change.state }, ...version },
    { $set: { state: change.state, updateTime: change.now }, $inc: { version: 1n } },
    { returnDocument: "after" },
  );
  if (changed !== null) return accountFromRow(changed);
  const present = await findAccount(rows, scope, id);
  return change.version === undefined || present?.version === change.version ? present : undefined;
}

async function findTransfer(
  rows: LedgerCollections,
  scope: Scope,
  id: string,
  reversalId: string,
): Promise<{ transfer: Transfer; reversed: boolean } | undefined> {
  const keys = [key(scope, id), key(scope, reversalId)];
  const found = await rows.transfers.find({ _id: { $in: keys } }).toArray();
  const transfer = found.find((row) => row._id.id === id);
  if (transfer === undefined) return undefined;
  const reversed = found.some((row) => row._id.id === reversalId && row.state === "POSTED");
  return { transfer: transferFromRow(transfer), reversed };
}

async function findHold(
  rows: LedgerCollections,
  scope: Scope,
  id: string,
): Promise<Hold | undefined> {
  const row = await rows.holds.findOne({ _id: key(scope, id) });
  return row === null ? undefined : holdFromRow(row);
}

const ENTRY_SORTS = { create_time: ["order", "_id.id"] } as const;

/** An account's postings seen from one side: the other side is the counter-account. */
const entryColumns = (counter: string): ListColumns => ({
  fields: {
    transaction_id: "_id.id",
    counter_account_id: counter,
    reference: "reference",
    "amount.minor_units": "amount",
    create_time: "createTime",
  },
  sorts: ENTRY_SORTS,
});
const PAID = entryColumns("destinationAccountId");
const RECEIVED = entryColumns("sourceAccountId");

async function listPostings(
  rows: LedgerCollections,
  scope: Scope,
  accountId: string,
  query: ListQuery,
): Promise<Transfer[]> {
  if (!mayUse(scope, accountId)) return [];
  const base = { "_id.tenant": scope.tenant, state: "POSTED" } as const;
  // Each side has its own index in the order of the page, and the server merges the two.
  const sides = [
    listWhere<TransferRow>([
      { ...base, sourceAccountId: accountId },
      ...listConditions(query, PAID),
    ]),
    listWhere<TransferRow>([
      { ...base, destinationAccountId: accountId },
      ...listConditions(query, RECEIVED),
    ]),
  ];
  const found = await rows.transfers
    .find({ $or: sides })
    .sort(listSort(query, PAID))
    .limit(query.limit)
    .toArray();
  return found.map(transferFromRow);
}
