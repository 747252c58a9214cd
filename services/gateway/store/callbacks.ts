import { due } from "#kit/mongo/due.ts";
import { type Key, key } from "#kit/mongo/key.ts";
import type { ClaimedTask, Tenant } from "../application/book.ts";
import type { CallbackTask } from "../domain/callback.ts";
import type { BookCollections, CallbackRow } from "./rows.ts";

/** How long a claimed row belongs to the process that works on it, in milliseconds; longer than one sending may take. */
export const CLAIM_MS = 20_000;

/**
 * Takes the row that is due longest, of whatever tenant, and puts it off by the claim, so that two processes do not
 * send the same at once and a crash does not lose it.
 */
export async function claimDueTask(
  book: BookCollections,
  now: Date,
): Promise<ClaimedTask | undefined> {
  const row = await book.callbacks.findOneAndUpdate(
    { dueTime: { $type: "date" }, ...due("dueTime", now) },
    { $set: { dueTime: claimUntil(now), updateTime: now } },
    { sort: { dueTime: 1 }, returnDocument: "after" },
  );
  return row === null ? undefined : toTask(row);
}

/** One more sending was taken by the merchant. */
export async function markSent(book: BookCollections, task: ClaimedTask, now: Date): Promise<void> {
  const set = { sentCount: task.sentCount, attempts: 0, dueTime: claimUntil(now), updateTime: now };
  await book.callbacks.updateOne({ _id: keyOf(task) }, { $set: set });
}

/** Try again at the time. */
export async function postponeTask(
  book: BookCollections,
  task: ClaimedTask,
  dueTime: Date,
  now: Date,
): Promise<void> {
  const set = { attempts: task.attempts, dueTime, updateTime: now };
  await book.callbacks.updateOne({ _id: keyOf(task) }, { $set: set });
}

/** Nothing more to do; the row stays as a record. */
export async function closeTask(
  book: BookCollections,
  task: ClaimedTask,
  state: "DONE" | "DEAD",
  now: Date,
): Promise<void> {
  const set = { state, dueTime: null, updateTime: now };
  await book.callbacks.updateOne({ _id: keyOf(task) }, { $set: set });
}

function claimUntil(now: Date): Date {
  return new Date(now.getTime() + CLAIM_MS);
}

function toTask(row: CallbackRow): ClaimedTask {
  const { _id, sendings, sentCount, attempts, firstDueTime, news } = row;
  const authorizationKey = row.authorizationKey ?? _id.id;
  const task = { authorizationKey, sendings, sentCount, attempts, firstDueTime };
  return { tenant: _id.tenant, ...task, ...(news && { news }) };
}

function keyOf(task: ClaimedTask): Key {
  return key(task, callbackKey(task));
}

/** The row of a new task. */
export function taskRow(scope: Tenant, task: CallbackTask, now: Date): CallbackRow {
  const { authorizationKey, ...rest } = task;
  return {
    ...rest,
    _id: key(scope, callbackKey(task)),
    ...(task.news && { authorizationKey }),
    state: "OPEN",
    dueTime: task.firstDueTime,
    updateTime: now,
  };
}

/** No key of a caller has a slash, so the two kinds never meet. */
function callbackKey({ authorizationKey, news }: CallbackTask): string {
  return news ? `op/${news.key}` : authorizationKey;
}
