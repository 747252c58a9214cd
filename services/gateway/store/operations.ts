import type { ClientSession } from "mongodb";
import { key } from "#kit/mongo/key.ts";
import type { Change, Tenant } from "../application/book.ts";
import type { RecordedOperation } from "../domain/operation.ts";
import type { Transaction } from "../domain/transaction.ts";
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
  const { kind, authorizationKey, amount, refusal } = row;
  return { key: operationKey, kind, authorizationKey, amount, refusal };
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
  { operation, before, after, now }: Change,
  session: ClientSession,
): Promise<Transaction> {
  const { key: operationKey, kind, authorizationKey, amount, refusal } = operation;
  const _id = key(scope, operationKey);
  await book.operations.insertOne(
    { _id, kind, authorizationKey, amount, refusal, createTime: now },
    { session },
  );
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
  const guard = { _id: key(scope, authorizationKey), version: before.version };
  const { matchedCount } = await book.transactions.replaceOne(guard, toRow(scope, written), {
    session,
  });
  if (matchedCount !== 1) throw new StaleDecision();
  return written;
}
