import type { AnyBulkWriteOperation, ClientSession } from "mongodb";
import { key } from "#kit/mongo/key.ts";
import type { BookChanges } from "../domain/book.ts";
import { BatchUndecided } from "../domain/ledger-port.ts";
import {
  type AccountRow,
  accountToRow,
  type HoldRow,
  holdToRow,
  type LedgerCollections,
  transferToRow,
} from "./rows.ts";

/** Writes a decided batch inside its transaction. Throws `BatchUndecided` when a guard did not match. */
export async function writeBook(
  rows: LedgerCollections,
  session: ClientSession,
  changes: BookChanges,
): Promise<void> {
  if (changes.transfers.length > 0) {
    await rows.transfers.insertMany(changes.transfers.map(transferToRow), { session });
  }
  await writeHolds(rows, session, changes);
  await writeAccounts(rows, session, changes);
}

async function writeHolds(
  rows: LedgerCollections,
  session: ClientSession,
  changes: BookChanges,
): Promise<void> {
  const inserts = changes.holds.map(
    (hold): AnyBulkWriteOperation<HoldRow> => ({ insertOne: { document: holdToRow(hold) } }),
  );
  // A hold is resolved once: whoever comes second finds it no longer HELD and decides again.
  const updates = changes.resolved.map((hold): AnyBulkWriteOperation<HoldRow> => {
    const { state, capturedAmount, transactionId, resolveTime } = hold;
    return {
      updateOne: {
        filter: { _id: key(hold, hold.id), state: "HELD" },
        update: { $set: { state, capturedAmount, transactionId, resolveTime } },
      },
    };
  });
  if (inserts.length + updates.length === 0) return;
  const done = await rows.holds.bulkWrite([...inserts, ...updates], { session, ordered: true });
  if (done.matchedCount !== updates.length)
    throw new BatchUndecided("a hold was resolved meanwhile");
}

/**
 * Customer accounts are written only on the version they were decided on, so that a decision on a stale copy
 * (another instance, a cache, a freeze) never lands. System accounts have no floor: they take the sum.
 */
async function writeAccounts(
  rows: LedgerCollections,
  session: ClientSession,
  changes: BookChanges,
): Promise<void> {
  const guarded = changes.customers.map(({ before, after }): AnyBulkWriteOperation<AccountRow> => {
    const { balance, held, version, lastOrder, updateTime } = after;
    return {
      updateOne: {
        filter: { _id: key(before, before.id), version: before.version },
        update: { $set: { balance, held, version, lastOrder, updateTime } },
      },
    };
  });
  const opened = changes.opened.map(
    (account): AnyBulkWriteOperation<AccountRow> => ({
      insertOne: { document: accountToRow(account, "") },
    }),
  );
  const operations = [...guarded, ...opened, ...changes.systems.map(systemIncrement)];
  if (operations.length === 0) return;
  const done = await rows.accounts.bulkWrite(operations, { session, ordered: true });
  const written = done.matchedCount + done.upsertedCount + done.insertedCount;
  if (written !== operations.length) throw new BatchUndecided("an account changed meanwhile");
}

function systemIncrement({
  before,
  after,
}: BookChanges["systems"][number]): AnyBulkWriteOperation<AccountRow> {
  const { ownerId, kind, currencyCode, held, state, createTime } = after;
  return {
    updateOne: {
      filter: { _id: key(after, after.id) },
      update: {
        $inc: { balance: after.balance - before.balance, version: 1n },
        $max: { lastOrder: after.lastOrder, updateTime: after.updateTime },
        $setOnInsert: { ownerId, kind, currencyCode, held, state, createTime, requestId: "" },
      },
      upsert: true,
    },
  };
}
