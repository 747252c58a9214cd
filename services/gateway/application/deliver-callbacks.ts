import { backoffMs, isDead } from "../domain/callback.ts";
import type { Transaction } from "../domain/transaction.ts";
import type { ClaimedTask } from "./book.ts";
import type { GatewayDeps } from "./deps.ts";
import { sendCallback } from "./send-callback.ts";

/** Callbacks sent at once. */
const SENDERS = 16;
/** Rows one sender takes in a batch. */
const BATCH_MAX = 50;

/** Does what is due: lets authorisations take effect and sends their callbacks. One bounded batch. */
export async function deliverCallbacks(deps: GatewayDeps, signal: AbortSignal): Promise<void> {
  const first = await deps.book.claimDueTask(deps.now());
  if (first === undefined) return;
  const others = Array.from({ length: SENDERS - 1 }, () => sendBatch(deps, signal, undefined));
  await Promise.all([sendBatch(deps, signal, first), ...others]);
}

async function sendBatch(
  deps: GatewayDeps,
  signal: AbortSignal,
  first: ClaimedTask | undefined,
): Promise<void> {
  let task = first;
  for (let count = 0; count < BATCH_MAX && !signal.aborted; count += 1) {
    task ??= await deps.book.claimDueTask(deps.now());
    if (task === undefined) return;
    await work(deps, task, signal);
    task = undefined;
  }
}

async function work(deps: GatewayDeps, task: ClaimedTask, signal: AbortSignal): Promise<void> {
  if (task.news) {
    const told = await deps.book.findTransaction(task, task.authorizationKey);
    if (told) return sendAll(deps, task, told, signal);
  }
  const transaction = await deps.book.authorizeUpcoming(task, task.authorizationKey, deps.now());
  // Voided before it took effect: there is nothing to tell.
  if (transaction === undefined || transaction.authorizeTime === null) {
    return deps.book.closeTask(task, "DONE", deps.now());
  }
  return sendAll(deps, task, transaction, signal);
}

/** In order, each until it is taken: what was sent is written down before the next, so a crash repeats one at most. */
async function sendAll(
  deps: GatewayDeps,
  task: ClaimedTask,
  transaction: Transaction,
  signal: AbortSignal,
): Promise<void> {
  let current = task;
  for (const sending of task.sendings.slice(task.sentCount)) {
    const outcome = await sendCallback(
      deps,
      task.tenant,
      { sending, transaction, news: task.news },
      signal,
    );
    if (outcome === "failed") return putOff(deps, current, signal);
    current = { ...current, sentCount: current.sentCount + 1, attempts: 0 };
    await deps.book.markSent(current, deps.now());
  }
  await deps.book.closeTask(current, "DONE", deps.now());
}

async function putOff(deps: GatewayDeps, task: ClaimedTask, signal: AbortSignal): Promise<void> {
  const now = deps.now();
  // Cut short by our own stop: no fault of the merchant, and due at once after the start.
  if (signal.aborted) return deps.book.postponeTask(task, now, now);
  if (isDead(task, now)) {
    deps.log.error({ authorizationKey: task.authorizationKey }, "callback given up");
    return deps.book.closeTask(task, "DEAD", now);
  }
  const attempts = task.attempts + 1;
  const dueTime = new Date(now.getTime() + backoffMs(attempts));
  return deps.book.postponeTask({ ...task, attempts }, dueTime, now);
}
