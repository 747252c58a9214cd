import { MongoServerError } from "mongodb";
import type { ListQuery } from "#kit/list/spec.ts";
import { key } from "#kit/mongo/key.ts";
import { type ListColumns, listConditions, listWhere } from "#kit/mongo/list.ts";
import type { Tenant } from "../application/book.ts";
import type { CallbackTask } from "../domain/callback.ts";
import type { Order, Transaction } from "../domain/transaction.ts";
import { taskRow } from "./callbacks.ts";
import type { BookCollections, TransactionRow } from "./rows.ts";

/** The transaction as last committed to the majority. */
export async function findTransaction(
  book: BookCollections,
  scope: Tenant,
  authorizationKey: string,
): Promise<Transaction | undefined> {
  const row = await book.transactions.findOne({ _id: key(scope, authorizationKey) });
  return row === null ? undefined : fromRow(row);
}

/** Sorts after every id: ids are ASCII. */
const AFTER_ALL_IDS = "\u{10ffff}";

const COLUMNS: ListColumns = {
  fields: {
    authorization_key: "_id.id",
    merchant_reference: "order.merchantReference",
    state: "state",
    "amount.currency_code": "order.amount.currencyCode",
    "amount.minor_units": "order.amount.minorUnits",
    create_time: "createTime",
  },
  sorts: { authorization_key: ["_id.id"] },
};

/** The tenant's transactions in order of their key. */
export async function listTransactions(
  book: BookCollections,
  scope: Tenant,
  query: ListQuery,
): Promise<Transaction[]> {
  const { descending } = query.order;
  const [after] = query.after ?? [];
  const end = key(scope, typeof after === "string" ? after : descending ? AFTER_ALL_IDS : "");
  // Keys compare field by field, so the index on _id serves the range within a tenant.
  const range = descending
    ? { $gt: key(scope, ""), $lt: end }
    : { $gt: end, $lt: key(scope, AFTER_ALL_IDS) };
  const conditions = listConditions({ ...query, after: undefined }, COLUMNS);
  const rows = book.transactions
    .find(listWhere<TransactionRow>([{ _id: range }, ...conditions]))
    .sort({ _id: descending ? -1 : 1 })
    .limit(query.limit);
  return (await rows.toArray()).map(fromRow);
}

/**
 * Inserts a new transaction together with what is to happen to it later, or returns false when there is one:
 * of two first calls, and of an Authorize racing the Void that leaves its tombstone, one wins.
 */
export async function insertTransaction(
  book: BookCollections,
  scope: Tenant,
  transaction: Transaction,
  task: CallbackTask | undefined,
): Promise<boolean> {
  const row = toRow(scope, transaction);
  try {
    if (task === undefined) {
      await book.transactions.insertOne(row);
      return true;
    }
    // Both or none: a pending authorisation without its row would stay pending for ever.
    await book.client.withSession((session) =>
      session.withTransaction(async () => {
        await book.transactions.insertOne(row, { session });
        await book.callbacks.insertOne(taskRow(scope, task, transaction.createTime), { session });
      }),
    );
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** Writes on a tombstone what was asked for; false when it is no longer there without an order. */
export async function fillTombstone(
  book: BookCollections,
  scope: Tenant,
  tombstone: Transaction,
  order: Order,
): Promise<boolean> {
  const guard = { _id: key(scope, tombstone.authorizationKey), version: tombstone.version };
  const { matchedCount } = await book.transactions.updateOne(guard, {
    $set: { order, version: tombstone.version + 1n },
  });
  return matchedCount === 1;
}

/** Lets an upcoming authorisation take effect, once; afterwards answers the transaction as it is. */
export async function authorizeUpcoming(
  book: BookCollections,
  scope: Tenant,
  authorizationKey: string,
  now: Date,
): Promise<Transaction | undefined> {
  const _id = key(scope, authorizationKey);
  // A void or another process may come first: then nothing matches, and what they made stays.
  const waiting = [
    { upcoming: "ON_TIME" as const, state: "PENDING" as const },
    {
      upcoming: "EVEN_IF_VOIDED" as const,
      state: { $in: ["PENDING" as const, "VOIDED" as const] },
    },
  ];
  await book.transactions.updateOne(
    { _id, $or: waiting },
    {
      $set: { state: "AUTHORIZED", upcoming: "NONE", authorizeTime: now, updateTime: now },
      $inc: { version: 1n },
    },
  );
  return findTransaction(book, scope, authorizationKey);
}

/** Whether another writer made the row first. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11_000;
}

/** The row of a transaction. */
export function toRow(scope: Tenant, transaction: Transaction): TransactionRow {
  const { authorizationKey, ...rest } = transaction;
  return { _id: key(scope, authorizationKey), ...rest };
}

function fromRow(row: TransactionRow): Transaction {
  const { _id, ...rest } = row;
  return { authorizationKey: _id.id, ...rest };
}
