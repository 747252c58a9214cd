import { type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Task } from "../domain/task.ts";
import type { PaymentDeps } from "./deps.ts";
import { TASK_LIST } from "./lists.ts";

type Deps = Pick<PaymentDeps, "store">;

/** A page of tasks, newest first. Fails with INVALID_PAGE_TOKEN, and INVALID_FIELD for an unknown filter or order. */
export async function listTasks(
  deps: Deps,
  scope: Scope,
  state: Task["state"] | undefined,
  request: ListRequest,
): Promise<ListPage<Task>> {
  return readList(TASK_LIST, scope, request, {
    fixed: state ? [{ field: "state", operator: "=", value: state }] : [],
    find: (query) => deps.store.listTasks(scope, query),
    positionOf: ({ createTime, taskId }) => [createTime, taskId],
  });
}

/** One task. Fails with TASK_NOT_FOUND, also for another tenant's. */
export async function getTask({ store }: Deps, scope: Scope, taskId: string): Promise<Task> {
  const task = await store.findTask(scope, taskId);
  if (task === undefined) throw new Refusal("TASK_NOT_FOUND", { metadata: { task_id: taskId } });
  return task;
}

/** Closes a task in the caller's name. Fails with TASK_NOT_FOUND and TASK_CLOSED. */
export async function closeTask(
  deps: Deps,
  scope: Scope,
  taskId: string,
  note: string,
): Promise<Task> {
  const closed = await deps.store.closeTask(scope, taskId, { closedBy: scope.subject, note });
  if (closed) return closed;
  const { closedBy = "" } = await getTask(deps, scope, taskId);
  throw new Refusal("TASK_CLOSED", { metadata: { task_id: taskId, closed_by: closedBy } });
}
