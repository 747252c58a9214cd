import type { ListQuery } from "#kit/list/spec.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { CallbackTask } from "../domain/callback.ts";
import type { RecordedOperation } from "../domain/operation.ts";
import type { Order, Transaction } from "../domain/transaction.ts";

/** Whose rows: all the book needs of a scope. */
export type Tenant = Pick<Scope, "tenant">;

/** What a decision was made on, and what it makes of it. */
export interface Change {
  readonly operation: RecordedOperation;
  /** What the decision read; undefined when there was nothing. */
  readonly before: Transaction | undefined;
  /** The same object when the operation has no effect. */
  readonly after: Transaction;
  readonly now: Date;
  /** Who is told of it, where the merchant did not ask. */
  readonly task?: CallbackTask;
}

/** A task that this process works on for now. */
export interface ClaimedTask extends CallbackTask {
  readonly tenant: string;
}

/** The provider's book as the application wants it; `store` keeps it. What is written is durable when it returns. */
export interface GatewayBook {
  /** The transaction as last committed. */
  findTransaction(scope: Tenant, authorizationKey: string): Promise<Transaction | undefined>;
  /** The tenant's transactions in order of their key, those after `afterKey` only. */
  listTransactions(scope: Tenant, query: ListQuery): Promise<readonly Transaction[]>;
  /** Inserts a transaction together with what is to happen to it later; false when the key has one. */
  insertTransaction(
    scope: Tenant,
    transaction: Transaction,
    task: CallbackTask | undefined,
  ): Promise<boolean>;
  /** Writes on a tombstone what was asked for; false when it changed meanwhile. */
  fillTombstone(scope: Tenant, tombstone: Transaction, order: Order): Promise<boolean>;
  /** Lets an upcoming authorisation take effect, once; answers the transaction as it is then. */
  authorizeUpcoming(
    scope: Tenant,
    authorizationKey: string,
    now: Date,
  ): Promise<Transaction | undefined>;
  /** An operation that was decided before. */
  findOperation(scope: Tenant, operationKey: string): Promise<RecordedOperation | undefined>;
  /** Writes an operation with its effect, both or none; undefined and nothing written when the decision is stale. */
  recordOperation(scope: Tenant, change: Change): Promise<Transaction | undefined>;
  /** Counts one more attempt at a flaky authorisation and returns which it was, from 1. */
  countAttempt(scope: Tenant, authorizationKey: string): Promise<number>;
  /** Takes the task that is due longest, of whatever tenant; other processes leave it alone for a while. */
  claimDueTask(now: Date): Promise<ClaimedTask | undefined>;
  /** Notes how many sendings were taken. */
  markSent(task: ClaimedTask, now: Date): Promise<void>;
  /** Puts a task off. */
  postponeTask(task: ClaimedTask, dueTime: Date, now: Date): Promise<void>;
  /** Nothing more is done for the task; the row stays as a record. */
  closeTask(task: ClaimedTask, state: "DONE" | "DEAD", now: Date): Promise<void>;
}
