import type { Db, MongoClient } from "mongodb";
import type { GatewayBook } from "../application/book.ts";
import { countAttempt } from "./attempts.ts";
import { claimDueTask, closeTask, markSent, postponeTask } from "./callbacks.ts";
import { findOperation, recordOperation } from "./operations.ts";
import { bookCollections } from "./rows.ts";
import {
  authorizeUpcoming,
  fillTombstone,
  findTransaction,
  insertTransaction,
  listTransactions,
} from "./transactions.ts";

/** The provider's book in MongoDB. */
export function openBook(client: MongoClient, db: Db): GatewayBook {
  const rows = bookCollections(client, db);
  return {
    findTransaction: (...call) => findTransaction(rows, ...call),
    listTransactions: (...call) => listTransactions(rows, ...call),
    insertTransaction: (...call) => insertTransaction(rows, ...call),
    fillTombstone: (...call) => fillTombstone(rows, ...call),
    authorizeUpcoming: (...call) => authorizeUpcoming(rows, ...call),
    findOperation: (...call) => findOperation(rows, ...call),
    recordOperation: (...call) => recordOperation(rows, ...call),
    countAttempt: (...call) => countAttempt(rows, ...call),
    claimDueTask: (now) => claimDueTask(rows, now),
    markSent: (...call) => markSent(rows, ...call),
    postponeTask: (...call) => postponeTask(rows, ...call),
    closeTask: (...call) => closeTask(rows, ...call),
  };
}
