import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Task, TaskState } from "#gen/payment/v1/payment_pb.ts";
import { createPaymentStore, type PaymentStore } from "#services/payment/store/payment-store.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { run } from "#test/unit/cli/run.ts";
import {
  Behaviour,
  endOf,
  failure,
  openAccount,
  PaymentStatus,
  pay,
  startQuickStack,
  until,
} from "./payment.support.ts";

const TENANT = { tenant: "default" };
let stack: Stack;
let store: PaymentStore;

beforeAll(async () => {
  stack = await startQuickStack({
    SETTLE_FRAUD_REVIEW_LIMITS: "USD:50",
    SETTLE_REVIEW_TIMEOUT: "300ms",
  });
  store = createPaymentStore(await stack.platform.database("payment"));
});
afterAll(() => stack[Symbol.asyncDispose]());

/** A payment that waits for a person, and its task. */
async function reviewed(): Promise<{ readonly paymentId: string; readonly task: Task }> {
  const paymentId = await pay(stack, await openAccount(stack, 100n), Behaviour.OK);
  await until(stack, paymentId, PaymentStatus.NEEDS_REVIEW);
  const task = await waitUntil(async () => (await openOf(paymentId))[0]);
  return { paymentId, task };
}

async function openOf(paymentId: string): Promise<Task[]> {
  const filter = `payment_id = ${paymentId}`;
  return (await stack.payment.listTasks({ filter, state: TaskState.OPEN })).tasks;
}

/** A task about money that lies somewhere, opened as an activity does. */
async function suspense(): Promise<string> {
  const paymentId = randomUUID();
  await store.openTask(TENANT, { paymentId, kind: "SUSPENSE", detail: "the hold is gone" });
  return `${paymentId}:SUSPENSE`;
}

test("a payment that needs a person is a task to be listed and read, and its end closes it", async () => {
  const { paymentId, task } = await reviewed();
  expect(task).toMatchObject({ taskId: `${paymentId}:FRAUD_REVIEW`, paymentId, occurrences: 1 });
  expect((await stack.payment.getTask({ taskId: task.taskId })).task).toEqual(task);
  await stack.payment.cancel({ paymentId });
  expect(await endOf(stack, paymentId)).toBe("CANCELLED CANCELLED");
  const closed = await waitUntil(async () => {
    const { task: now } = await stack.payment.getTask({ taskId: task.taskId });
    return now?.state === TaskState.CLOSED && now;
  });
  expect(closed).toMatchObject({ closedBy: "settle", note: "it ended CANCELLED" });
  expect(await openOf(paymentId)).toEqual([]);
});

test("a task about money stays open after the payment's end, until somebody closes it, once, with a note", async () => {
  const taskId = await suspense();
  const [paymentId = ""] = taskId.split(":");
  await store.closeEndedTasks(TENANT, { paymentId }, "it ended SUCCEEDED");
  const request = { requestId: randomUUID(), taskId, note: "paid out, see ticket 17" };
  const { task } = await stack.payment.closeTask(request);
  expect(task).toMatchObject({ state: TaskState.CLOSED, note: request.note, closedBy: "dev" });
  expect((await stack.payment.closeTask(request)).task).toEqual(task);
  const again = stack.payment.closeTask({ taskId, note: "me too" });
  expect(await failure(again)).toBe("FailedPrecondition TASK_CLOSED");
  const unknown = stack.payment.closeTask({ taskId: "nobody:SUSPENSE", note: "?" });
  expect(await failure(unknown)).toBe("NotFound TASK_NOT_FOUND");
});

test("a cause that comes back opens the closed task again and is counted; one that is told twice is not", async () => {
  const taskId = await suspense();
  const [paymentId = ""] = taskId.split(":");
  const cause = { paymentId, kind: "SUSPENSE", detail: "again" };
  await store.openTask(TENANT, cause);
  expect(await store.findTask(TENANT, taskId)).toMatchObject({ detail: "the hold is gone" });
  await stack.payment.closeTask({ taskId, note: "done" });
  await store.openTask(TENANT, cause);
  const { task } = await stack.payment.getTask({ taskId });
  expect(task).toMatchObject({ state: TaskState.OPEN, detail: "again", occurrences: 2, note: "" });
  expect(task?.closeTime).toBeUndefined();
});

test("two refunds of one payment that cannot go on are two tasks", async () => {
  const paymentId = randomUUID();
  const refunds = [randomUUID(), randomUUID()];
  for (const refundId of refunds) {
    await store.openTask(TENANT, { paymentId, refundId, kind: "STEP_STUCK", detail: "stuck" });
  }
  const tasks = (await openOf(paymentId)).map(({ taskId }) => taskId);
  expect(tasks.sort()).toEqual(refunds.map((refundId) => `${refundId}:STEP_STUCK`).sort());
});

test("a cause that went away with the payment's end opens nothing any more", async () => {
  const paymentId = await pay(stack, await openAccount(stack, 100n), Behaviour.DECLINE);
  await endOf(stack, paymentId);
  await store.openTask(TENANT, { paymentId, kind: "STEP_STUCK", detail: "late" });
  expect(await openOf(paymentId)).toEqual([]);
});

test("open tasks are a number per kind that a monitor can alarm on", async () => {
  await suspense();
  const shown = await waitUntil(async () => {
    const text = await (await fetch(`http://${stack.addresses.payment}/metrics`)).text();
    return /^settle_tasks_open\{kind="SUSPENSE"\} (\d+)$/m.exec(text)?.[1];
  });
  expect(Number(shown)).toBeGreaterThan(0);
});

test("settle task lists, shows and closes them", async () => {
  const taskId = await suspense();
  const options = ["--address", stack.addresses.payment];
  const list = await run([...options, "task", "list", "--kind", "SUSPENSE"]);
  expect(list).toMatchObject({ exitCode: 0, out: expect.stringContaining(taskId) });
  const close = [...options, "task", "close", taskId, "--note", "paid out"];
  expect(await run(close)).toMatchObject({ exitCode: 0, err: "" });
  const shown = await run([...options, "-o", "json", "task", "get", taskId]);
  expect(JSON.parse(shown.out)).toMatchObject({ state: "TASK_STATE_CLOSED", note: "paid out" });
  expect((await run([...options, "task", "list"])).out).not.toContain(taskId);
  expect((await run([...options, "task", "list", "--all"])).out).toContain(taskId);
});
