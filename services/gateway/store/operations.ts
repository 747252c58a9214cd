import type { ClientSession } from "mongodb";
import { key } from "#kit/mongo/key.ts";
import type { Change, Tenant } from "../application/book.ts";
import type { RecordedOperation } from "../domain/operation.ts";
import type { Transaction } from "../domain/transaction.ts";
import { taskRow } from "./callbacks.ts";
import type { BookCollections } from "./rows.ts";
import { isDuplicate, toRow } from "./transactions.ts";

/** An operation that was decided before, by its own key. */
export async function findOperation(
  book: BookCollections,
  scope: Tenant,
  operationKey: string,
): Promise<RecordedOperation | undefined> {
  const row = await book.operations.findOne({ _id: key(scope, operationKey) });
  if (row === null) return undefined;
  const { _id, createTime, ...operation } = row;
  return { key: operationKey, ...operation };
}

/**
 * Writes the operation and its effect in one transaction and returns the transaction as written, or undefined when
 * the decision is stale: the key was used meanwhile, or what was read has changed. Then nothing is written.
 */
export async function recordOperation(
  book: BookCollections,
  scope: Tenant,
  change: Change,
): Promise<Transaction | undefined> {
  try {
    return await book.client.withSession((session) =>
      session.withTransaction(() => writeChange(book, scope, change, session)),
    );
  } catch (error) {
    if (error instanceof StaleDecision || isDuplicate(error)) return undefined;
    throw error;
  }
}

class StaleDecision extends Error {}

async function writeChange(
  book: BookCollections,
  scope: Tenant,
  { operation, before, after, now, task }: Change,
  session: ClientSession,
): Promise<Transaction> {
  const { key: operationKey, ...rest } = operation;
  const _id = key(scope, operationKey);
  await book.operations.insertOne({ _id, ...rest, createTime: now }, { session });
  // With the operation or not at all: what was done and not told would only be found by who looks.
  if (task !== undefined) await book.callbacks.insertOne(taskRow(scope, task, now), { session });
  if (before === undefined) {
    await book.transactions.insertOne(toRow(scope, after), { session });
    return after;
  }
  const written = {
    ...after,
    version: before.version + 1n,
    updateTime: after === before ? before.updateTime : now,
  };
  // Guarded also when nothing changes: two refunds that both fit what they read must not both pass.
  const guard = { _id: key(scope, operation.authorizationKey), version: before.version };
  const { matchedCount } = await book.transactions.replaceOne(guard, toRow(scope, written), {
    session,
  });
  if (matchedCount !== 1) throw new StaleDecision();
  return written;
}
