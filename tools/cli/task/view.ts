import { type Task, TaskState } from "#gen/payment/v1/payment_pb.ts";
import { enumText, fields, time } from "../output.ts";
import type { Column } from "../table.ts";

/** One task, for people. */
export function taskLines(task: Task): readonly string[] {
  return fields([
    ["task", task.taskId],
    ["kind", task.kind],
    ["state", enumText(TaskState, task.state)],
    ["payment", task.paymentId],
    ["refund", task.refundId],
    ["detail", task.detail],
    ["occurrences", task.occurrences > 1 ? String(task.occurrences) : ""],
    ["opened", time(task.createTime)],
    ["closed", time(task.closeTime)],
    ["closed by", task.closedBy],
    ["note", task.note],
  ]);
}

/** Columns of a list of tasks. */
export const taskColumns: readonly Column<Task>[] = [
  { title: "TASK", cell: (task) => task.taskId },
  { title: "STATE", cell: (task) => enumText(TaskState, task.state) },
  { title: "OPENED", cell: (task) => time(task.createTime) },
  { title: "DETAIL", cell: (task) => task.detail },
];
