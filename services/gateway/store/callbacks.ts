import { due } from "#kit/mongo/due.ts";
import { type Key, key } from "#kit/mongo/key.ts";
import type { ClaimedTask } from "../application/book.ts";
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
  const { _id, sendings, sentCount, attempts, firstDueTime } = row;
  const { tenant, id: authorizationKey } = _id;
  return { tenant, authorizationKey, sendings, sentCount, attempts, firstDueTime };
}

function keyOf(task: ClaimedTask): Key {
  return key(task, task.authorizationKey);
}
