import type { AttentionList } from "../domain/attention.ts";
import { isTaskOfOpen, type TaskBook } from "../domain/books.ts";
import type { Books } from "./books.ts";

/** Most tasks that are named beside one suspense account. */
const NAMED_TASKS_MAX = 5;

/** Open tasks by currency, of those that say whose money lies in suspense. */
export type SuspenseTasks = ReadonlyMap<string, readonly string[]>;

/** What waits for a person or for somebody else's server. Answers the tasks about money in suspense. */
export async function auditWaiting(books: Books, attention: AttentionList): Promise<SuspenseTasks> {
  for await (const messages of books.undelivered()) {
    for (const message of messages) attention.note("UNDELIVERED_MESSAGE", message);
  }
  for await (const deliveries of books.waitingWebhooks()) {
    for (const delivery of deliveries) attention.note("UNDELIVERED_WEBHOOK", delivery);
  }
  const suspense = new Map<string, readonly string[]>();
  for await (const tasks of books.openTasks()) await noteTasks(books, attention, tasks, suspense);
  return suspense;
}

async function noteTasks(
  books: Books,
  attention: AttentionList,
  tasks: readonly TaskBook[],
  suspense: Map<string, readonly string[]>,
): Promise<void> {
  const payments = await books.paymentsById(tasks.map(({ paymentId }) => paymentId));
  const refunds = await books.pendingRefundIds(
    tasks.flatMap(({ refundId }) => (refundId === "" ? [] : [refundId])),
  );
  for (const task of tasks) {
    const { taskId, refundId, kind, detail, createTime: since } = task;
    const payment = payments.get(task.paymentId);
    attention.note("OPEN_TASK", { id: taskId, detail: `${kind}: ${detail}`, since });
    const subject = payment && (refundId === "" ? !payment.final : refunds.has(refundId));
    if (!subject && (payment === undefined || isTaskOfOpen(kind))) {
      const why = payment ? `its payment is ${payment.status}` : "there is no such payment";
      attention.note("STALE_TASK", { id: taskId, detail: `${kind}: ${why}`, since });
    }
    if (payment && kind.includes("SUSPENSE")) {
      const named = suspense.get(payment.currencyCode) ?? [];
      suspense.set(payment.currencyCode, [...named, taskId].slice(0, NAMED_TASKS_MAX));
    }
  }
}
