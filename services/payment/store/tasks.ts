import type { Collection, Db } from "mongodb";
import type { ListQuery } from "#kit/list/spec.ts";
import { type Key, key } from "#kit/mongo/key.ts";
import { type ListColumns, listFilter, listSort } from "#kit/mongo/list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { CLOSED_BY_ITSELF, endsWithSubject, type Task, type TaskCause } from "../domain/task.ts";
import { paymentRows } from "./payments.ts";
import { refundRows } from "./refunds.ts";

type TaskRow = Omit<Task, "tenant" | "taskId"> & { readonly _id: Key };
type Tenant = Pick<Scope, "tenant">;

function taskRows(db: Db): Collection<TaskRow> {
  return db.collection<TaskRow>("tasks");
}

function toTask({ _id, ...rest }: TaskRow): Task {
  return { tenant: _id.tenant, taskId: _id.id, ...rest };
}

/**
 * Opens a task for a person, keyed by payment, or refund, and kind. A repeat finds it open and changes nothing; one that was
 * closed is opened again, because its cause came back. A cause that went away with the end of its payment or refund opens
 * nothing.
 */
export async function openTask(db: Db, scope: Tenant, cause: TaskCause): Promise<void> {
  // The subject first, so that whoever ends it knows that there are tasks to close.
  const ended = await markSubject(db, scope, cause);
  if (ended && endsWithSubject(cause.kind)) return;
  const _id = key(scope, `${cause.refundId ?? cause.paymentId}:${cause.kind}`);
  const fresh = { ...cause, state: "OPEN" as const, occurrences: 1, createTime: new Date() };
  const { upsertedCount } = await taskRows(db).updateOne(
    { _id },
    { $setOnInsert: fresh },
    { upsert: true },
  );
  if (upsertedCount > 0) return;
  await taskRows(db).updateOne(
    { _id, state: "CLOSED" },
    {
      $set: { state: "OPEN", detail: cause.detail, createTime: fresh.createTime },
      $unset: { closeTime: true, closedBy: true, note: true },
      $inc: { occurrences: 1 },
    },
  );
}

/** Answers whether the subject has ended. */
async function markSubject(
  db: Db,
  scope: Tenant,
  { paymentId, refundId }: TaskCause,
): Promise<boolean> {
  const mark = { $set: { hasTasks: true as const } };
  if (refundId === undefined) {
    const row = await paymentRows(db).findOneAndUpdate({ _id: key(scope, paymentId) }, mark);
    return row?.final ?? false;
  }
  const row = await refundRows(db).findOneAndUpdate({ _id: key(scope, refundId) }, mark);
  return row !== null && row.status !== "PENDING";
}

/** Closes the tasks of a payment or refund that has ended; only those whose cause ended with it. */
export async function closeEndedTasks(
  db: Db,
  scope: Tenant,
  subject: Pick<Task, "paymentId" | "refundId">,
  note: string,
): Promise<void> {
  const about = { paymentId: subject.paymentId, refundId: subject.refundId ?? { $exists: false } };
  const open = await taskRows(db)
    .find({ "_id.tenant": scope.tenant, ...about, state: "OPEN" })
    .toArray();
  const ended = open.filter(({ kind }) => endsWithSubject(kind)).map(({ _id }) => _id);
  await taskRows(db).updateMany(
    { _id: { $in: ended }, state: "OPEN" },
    { $set: { state: "CLOSED", closeTime: new Date(), closedBy: CLOSED_BY_ITSELF, note } },
  );
}

/** One task of the tenant. */
export async function findTask(db: Db, scope: Tenant, taskId: string): Promise<Task | undefined> {
  const row = await taskRows(db).findOne({ _id: key(scope, taskId) });
  return row ? toTask(row) : undefined;
}

/** Closes an open task; undefined when it is not open. */
export async function closeTask(
  db: Db,
  scope: Tenant,
  taskId: string,
  close: { readonly closedBy: string; readonly note: string },
): Promise<Task | undefined> {
  const row = await taskRows(db).findOneAndUpdate(
    { _id: key(scope, taskId), state: "OPEN" },
    { $set: { state: "CLOSED", closeTime: new Date(), ...close } },
    { returnDocument: "after" },
  );
  return row ? toTask(row) : undefined;
}

const COLUMNS: ListColumns = {
  fields: {
    task_id: "_id.id",
    payment_id: "paymentId",
    refund_id: "refundId",
    kind: "kind",
    state: "state",
    create_time: "createTime",
  },
  sorts: { create_time: ["createTime", "_id.id"] },
};

/** A page of tasks. */
export async function listTasks(db: Db, scope: Tenant, query: ListQuery): Promise<Task[]> {
  const filter = listFilter<TaskRow>(scope, query, COLUMNS);
  const rows = taskRows(db).find(filter).sort(listSort(query, COLUMNS)).limit(query.limit);
  return (await rows.toArray()).map(toTask);
}

/** How many tasks of each kind are open, of all tenants. */
export async function countOpenTasks(db: Db): Promise<ReadonlyMap<string, number>> {
  const counts = taskRows(db).aggregate<{ readonly _id: string; readonly n: number }>([
    { $match: { state: "OPEN" } },
    { $group: { _id: "$kind", n: { $sum: 1 } } },
  ]);
  return new Map((await counts.toArray()).map(({ _id, n }) => [_id, Number(n)]));
}
