import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Task as TaskMessage, TaskSchema, TaskState } from "#gen/payment/v1/payment_pb.ts";
import type { Task } from "../domain/task.ts";

/** A task as the wire shows it. */
export function taskToMessage(task: Task): TaskMessage {
  return create(TaskSchema, {
    taskId: task.taskId,
    paymentId: task.paymentId,
    refundId: task.refundId ?? "",
    kind: task.kind,
    state: TaskState[task.state],
    detail: task.detail,
    occurrences: Number(task.occurrences ?? 1),
    createTime: timestampFromDate(task.createTime),
    ...(task.closeTime && { closeTime: timestampFromDate(task.closeTime) }),
    closedBy: task.closedBy ?? "",
    note: task.note ?? "",
  });
}

/** The state a list is narrowed to; undefined for unspecified. */
export function taskStateFromMessage(state: TaskState): Task["state"] | undefined {
  if (state === TaskState.OPEN) return "OPEN";
  return state === TaskState.CLOSED ? "CLOSED" : undefined;
}
