import {
  type ClientSession,
  type Db,
  type MongoClient,
  MongoError,
  MongoServerError,
} from "mongodb";
import type { BookChanges } from "../domain/book.ts";
import { decide } from "../domain/decide.ts";
import { BatchUndecided, type LedgerPort } from "../domain/ledger-port.ts";
import type { LedgerOutcome, LedgerRequest } from "../domain/request.ts";
import { AccountCache } from "./account-cache.ts";
import { loadBook } from "./load-book.ts";
import { type LedgerCollections, ledgerCollections } from "./rows.ts";
import { writeBook } from "./write-book.ts";

/** Times a commit of unknown result is repeated before the batch is looked up by its ids. */
const COMMIT_ATTEMPTS = 3;

/** What the ledger store works with. */
export interface LedgerStoreDeps {
  readonly client: MongoClient;
  readonly db: Db;
  readonly now: () => Date;
  /** Ends a transaction; tests put a broken wire here. Default `session.commitTransaction()`. */
  readonly commit?: (session: ClientSession) => Promise<void>;
}

interface LedgerStore {
  readonly deps: LedgerStoreDeps;
  readonly rows: LedgerCollections;
  readonly cache: AccountCache;
}

/** The ledger in MongoDB: one transaction per batch, majority and journal, reads from one snapshot. */
export function createLedgerStore(deps: LedgerStoreDeps): LedgerPort {
  const store = { deps, rows: ledgerCollections(deps.db), cache: new AccountCache() };
  return { commitBatch: (requests) => commitBatch(store, requests) };
}

async function commitBatch(
  store: LedgerStore,
  requests: readonly LedgerRequest[],
): Promise<readonly LedgerOutcome[]> {
  const session = store.deps.client.startSession();
  let touched: readonly string[] = [];
  try {
    session.startTransaction({
      readConcern: { level: "snapshot" },
      writeConcern: { w: "majority", journal: true },
      readPreference: "primary",
    });
    const { rows, cache, deps } = store;
    const loaded = await loadBook({ rows, cache, now: deps.now() }, session, requests);
    touched = loaded.accountKeys;
    const outcomes = requests.map((request) => decide(loaded.book, request));
    const changes = loaded.book.changes();
    await writeBook(rows, session, changes);
    await commit(store, session);
    remember(cache, changes);
    return outcomes;
  } catch (error) {
    // Whatever went wrong, what was believed about these accounts may be why.
    store.cache.drop(touched);
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
    throw undecidedOr(error);
  } finally {
    await session.endSession();
  }
}

async function commit(store: LedgerStore, session: ClientSession): Promise<void> {
  const end = store.deps.commit ?? ((s: ClientSession) => s.commitTransaction());
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await end(session);
    } catch (error) {
      if (attempt >= COMMIT_ATTEMPTS || !hasLabel(error, "UnknownTransactionCommitResult")) {
        throw error;
      }
    }
  }
}

/** Only what is committed is remembered. System balances may be a guess: the increment does not depend on it. */
function remember(cache: AccountCache, changes: BookChanges): void {
  for (const { after } of changes.customers) cache.set(after);
  for (const after of changes.opened) cache.set(after);
  for (const { after } of changes.systems) cache.set(after);
}

const DUPLICATE_KEY = 11_000;
const WRITE_CONFLICT = 112;

/** Errors after which the same batch may be decided again; any other is a bug or a wall. */
function undecidedOr(error: unknown): unknown {
  if (error instanceof BatchUndecided) return error;
  // Not an answer of the server: the wire broke, whatever step the transaction was in.
  const broken = error instanceof MongoError && !(error instanceof MongoServerError);
  const again =
    broken ||
    hasLabel(error, "TransientTransactionError") ||
    hasLabel(error, "UnknownTransactionCommitResult") ||
    (error instanceof MongoServerError &&
      (error.code === DUPLICATE_KEY || error.code === WRITE_CONFLICT));
  return again ? new BatchUndecided("the batch was not committed, or nobody knows", error) : error;
}

function hasLabel(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}
