import type { Db } from "mongodb";
import { type Key, key } from "#kit/mongo/key.ts";
import type { Scope } from "#kit/pure/scope.ts";

interface TaskRow {
  readonly _id: Key;
  readonly paymentId: string;
  /** Only of a task about a refund. */
  readonly refundId?: string;
  readonly kind: string;
  readonly state: "OPEN";
  readonly detail: string;
  readonly createTime: Date;
}

/**
 * Opens a task for a person, keyed `<payment>:<kind>`, or `<refund>:<kind>` where it is about a refund, of which a payment
 * may have many. A repeat finds it and changes nothing.
 */
export async function openTask(
  db: Db,
  scope: Pick<Scope, "tenant">,
  task: {
    readonly paymentId: string;
    readonly refundId?: string;
    readonly kind: string;
    readonly detail: string;
  },
): Promise<void> {
  await db
    .collection<TaskRow>("tasks")
    .updateOne(
      { _id: key(scope, `${task.refundId ?? task.paymentId}:${task.kind}`) },
      { $setOnInsert: { ...task, state: "OPEN", createTime: new Date() } },
      { upsert: true },
    );
}
