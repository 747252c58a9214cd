import { type Db, type Filter, MongoServerError } from "mongodb";
import { key } from "#kit/mongo/key.ts";
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
    listAccounts: (scope: Scope, page: Parameters<typeof listAccounts>[2]) =>
      listAccounts(rows, scope, page),
    insertAccount: (scope: Scope, account: Account, requestId: string) =>
      insertAccount(rows, scope, account, requestId),
    setAccountState: (scope: Scope, id: string, change: StateChange) =>
      setAccountState(rows, scope, id, change),
    findTransfer: (scope: Scope, id: string, reversalId: string) =>
      findTransfer(rows, scope, id, reversalId),
    findHold: (scope: Scope, id: string) => findHold(rows, scope, id),
    listPostings: (
      scope: Scope,
      accountId: string,
      page: {
        readonly after: { readonly order: bigint; readonly id: string } | undefined;
        readonly limit: number;
      },
    ) => listPostings(rows, scope, { accountId, ...page }),
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

async function listAccounts(
  rows: LedgerCollections,
  scope: Scope,
  page: { readonly ownerId: string; readonly afterId: string; readonly limit: number },
): Promise<Account[]> {
  const filter: Filter<AccountRow> = {
    "_id.tenant": scope.tenant,
    "_id.id": { $gt: page.afterId },
    ...(page.ownerId === "" ? {} : { ownerId: page.ownerId }),
  };
  const found = await rows.accounts.find(filter).sort({ "_id.id": 1 }).limit(page.limit).toArray();
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

async function listPostings(
  rows: LedgerCollections,
  scope: Scope,
  page: {
    readonly accountId: string;
    readonly after: { readonly order: bigint; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<Transfer[]> {
  if (!mayUse(scope, page.accountId)) return [];
  const base = { "_id.tenant": scope.tenant, state: "POSTED" } as const;
  const sides: Filter<TransferRow>[] = [
    { ...base, sourceAccountId: page.accountId },
    { ...base, destinationAccountId: page.accountId },
  ];
  const { after } = page;
  const branches =
    after === undefined
      ? sides
      : sides.flatMap((side): Filter<TransferRow>[] => [
          { ...side, order: { $lt: after.order } },
          { ...side, order: after.order, "_id.id": { $lt: after.id } },
        ]);
  const found = await rows.transfers
    .find({ $or: branches })
    .sort({ order: -1, "_id.id": -1 })
    .limit(page.limit)
    .toArray();
  return found.map(transferFromRow);
}
