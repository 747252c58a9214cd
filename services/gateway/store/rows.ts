import type { Collection, Db, MongoClient } from "mongodb";
import type { Key } from "#kit/mongo/key.ts";
import type { CallbackTask } from "../domain/callback.ts";
import type { Operation } from "../domain/operation.ts";
import type { Transaction } from "../domain/transaction.ts";
import type { GatewayReason } from "../reasons.ts";

/** A row of `transactions`, keyed by the Authorize key. */
export interface TransactionRow extends Omit<Transaction, "authorizationKey"> {
  readonly _id: Key;
}

/** A row of `operations`, keyed by the operation's own key. */
export interface OperationRow extends Omit<Operation, "key"> {
  readonly _id: Key;
  readonly refusal: GatewayReason | null;
  readonly createTime: Date;
}

/** A row of `callbacks`, keyed by the Authorize key, or by the operation it tells of; see `callbackKey`. */
export interface CallbackRow extends Omit<CallbackTask, "authorizationKey"> {
  readonly _id: Key;
  /** Where the key is not it. */
  readonly authorizationKey?: string;
  readonly state: "OPEN" | "DONE" | "DEAD";
  /** When it is next looked at; null when it is not open. Also the lease of the process that works on it. */
  readonly dueTime: Date | null;
  readonly updateTime: Date;
}

/** A row of `attempts`: how often a flaky authorisation was tried. */
export interface AttemptRow {
  readonly _id: Key;
  readonly count: number;
}

/** The book's collections. Every write is majority and journal by the client's defaults. */
export interface BookCollections {
  readonly client: MongoClient;
  readonly transactions: Collection<TransactionRow>;
  readonly operations: Collection<OperationRow>;
  readonly callbacks: Collection<CallbackRow>;
  readonly attempts: Collection<AttemptRow>;
}

/** Names the collections; `gatewayMigrations` makes them. */
export function bookCollections(client: MongoClient, db: Db): BookCollections {
  return {
    client,
    transactions: db.collection("transactions"),
    operations: db.collection("operations"),
    callbacks: db.collection("callbacks"),
    attempts: db.collection("attempts"),
  };
}
