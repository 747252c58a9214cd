import type { Collection, Db } from "mongodb";
import type { Key } from "#kit/mongo/key.ts";
import type { Account } from "../domain/account.ts";
import type { DeclineFacts, Hold, Transfer } from "../domain/transfer.ts";

type Row<T extends { tenant: string; id: string }> = { readonly _id: Key } & Omit<
  T,
  "tenant" | "id" | "facts"
>;
interface Fact {
  readonly key: string;
  readonly value: string;
}

/** An account as it is stored: its fields under `{tenant, id}`. `requestId` tells a repeat of its creation. */
export type AccountRow = Row<Account> & { readonly requestId: string };
/** A transfer as it is stored. */
export type TransferRow = Row<Transfer> & { readonly facts: readonly Fact[] };
/** A hold as it is stored. */
export type HoldRow = Row<Hold> & { readonly facts: readonly Fact[] };

/** The collections of the ledger. */
export interface LedgerCollections {
  readonly accounts: Collection<AccountRow>;
  readonly transfers: Collection<TransferRow>;
  readonly holds: Collection<HoldRow>;
}

/** The collections of the ledger in a database. */
export function ledgerCollections(db: Db): LedgerCollections {
  return {
    accounts: db.collection<AccountRow>("accounts"),
    transfers: db.collection<TransferRow>("transfers"),
    holds: db.collection<HoldRow>("holds"),
  };
}

/** Reads a stored account. */
export function accountFromRow(row: AccountRow): Account {
  const { _id, requestId: _requestId, ...fields } = row;
  return { tenant: _id.tenant, id: _id.id, ...fields };
}

/** Writes an account; `requestId` is empty unless a request made it. */
export function accountToRow(account: Account, requestId: string): AccountRow {
  const { tenant, id, ...fields } = account;
  return { _id: { tenant, id }, ...fields, requestId };
}

/** Reads a stored transfer. */
export function transferFromRow(row: TransferRow): Transfer {
  const { _id, facts, ...fields } = row;
  return { tenant: _id.tenant, id: _id.id, ...fields, facts: factsFromRow(facts) };
}

/** Writes a transfer. */
export function transferToRow(transfer: Transfer): TransferRow {
  const { tenant, id, facts, ...fields } = transfer;
  return { _id: { tenant, id }, ...fields, facts: factsToRow(facts) };
}

/** Reads a stored hold. */
export function holdFromRow(row: HoldRow): Hold {
  const { _id, facts, ...fields } = row;
  return { tenant: _id.tenant, id: _id.id, ...fields, facts: factsFromRow(facts) };
}

/** Writes a hold. */
export function holdToRow(hold: Hold): HoldRow {
  const { tenant, id, facts, ...fields } = hold;
  return { _id: { tenant, id }, ...fields, facts: factsToRow(facts) };
}

function factsFromRow(facts: readonly Fact[]): DeclineFacts {
  return Object.fromEntries(facts.map(({ key, value }) => [key, value]));
}

function factsToRow(facts: DeclineFacts): readonly Fact[] {
  return Object.entries(facts).map(([key, value]) => ({ key, value }));
}
