import { type ClientSession, type MongoClient, MongoError, MongoServerError } from "mongodb";
import { Refusal } from "#kit/refusal.ts";

/** How long a transaction is tried again before its caller is told to retry, in milliseconds. */
const TRY_AGAIN_MS = 5_000;
/** Longest pause between two tries; the real one is random below it, so that rivals fall apart. */
const PAUSE_MAX_MS = 50;
const DUPLICATE_KEY = 11_000;

/**
 * Runs one snapshot transaction, committed to a majority. A write conflict, or a key that another writer inserted
 * after our snapshot, means that a rival was faster: everything is read and decided anew. An unknown commit result
 * is committed again, never taken for a failure. Fails with WRITE_CONFLICT after 5 s.
 */
export async function inTransaction<T>(
  client: MongoClient,
  run: (session: ClientSession) => Promise<T>,
): Promise<T> {
  const deadlineMs = Date.now() + TRY_AGAIN_MS;
  for (let tries = 1; ; tries += 1) {
    await using session = client.startSession();
    try {
      session.startTransaction({
        readConcern: { level: "snapshot" },
        writeConcern: { w: "majority", journal: true },
      });
      const value = await run(session);
      await commit(session, deadlineMs);
      return value;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      if (!lostRace(error)) throw error;
      if (Date.now() >= deadlineMs) throw new Refusal("WRITE_CONFLICT", { cause: error });
    }
    await sleep(Math.random() * Math.min(PAUSE_MAX_MS, 2 ** tries));
  }
}

async function commit(session: ClientSession, deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      const unknown =
        error instanceof MongoError && error.hasErrorLabel("UnknownTransactionCommitResult");
      if (!unknown || Date.now() >= deadlineMs) throw error;
      await sleep(PAUSE_MAX_MS);
    }
  }
}

function lostRace(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  if (error.hasErrorLabel("TransientTransactionError")) return true;
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
