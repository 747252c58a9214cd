import type { WorkflowHandle } from "@temporalio/client";
import { expect } from "vitest";
import { FraudDecision } from "#gen/fraud/v1/fraud_pb.ts";
import { type Transaction, TransactionState } from "#gen/gateway/v1/gateway_pb.ts";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import { eventOf } from "#services/payment/domain/notice.ts";
import type { MockBehaviour, Payment } from "#services/payment/domain/payment.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

/** Every payer begins with this. */
export const FUNDS = 1_000n;

/** The mock provider's behaviours, as the wire numbers them. */
export const BEHAVIOUR = {
  OK: 1,
  CALLBACK: 2,
  FLAKY: 3,
  DECLINE: 4,
  HANG: 5,
  APPLY_THEN_DROP: 6,
  DUPLICATE_CALLBACK: 7,
  LATE_CALLBACK: 8,
  FORGED_CALLBACK: 9,
  NO_CALLBACK: 10,
} as const satisfies Record<string, MockBehaviour>;

/** One payment of a payer who makes no other, so that the payer's account tells what became of it. */
export interface Story {
  readonly accountId: string;
  readonly paymentId: string;
}

/** How a story's payment is made. */
export interface Plot {
  readonly behaviour?: keyof typeof BEHAVIOUR;
  readonly amount?: bigint;
  readonly funds?: bigint;
  readonly manual?: boolean;
}

/** Opens the payer's account; faults are planned between this and `pay`. */
export async function openAccount(
  stack: Stack,
  accountId: string,
  funds: bigint = FUNDS,
): Promise<void> {
  await stack.account.createAccount({ account: { accountId, currencyCode: "USD" } });
  if (funds === 0n) return;
  await stack.account.credit({
    transactionId: `funds:${accountId}`,
    accountId,
    amount: { currencyCode: "USD", minorUnits: funds },
  });
}

/** Makes the payer's payment: 100 minor units, authorised at once, unless the plot says otherwise. */
export async function pay(stack: Stack, accountId: string, plot: Plot = {}): Promise<Story> {
  const { behaviour = "OK", amount = 100n, manual = false } = plot;
  const mock = { behaviour: BEHAVIOUR[behaviour], flakyAttempts: 2 };
  const { payment } = await stack.payment.create({
    accountId,
    amount: { currencyCode: "USD", minorUnits: amount },
    paymentMethod: { method: { case: "mock", value: mock } },
    captureMode: manual ? CaptureMode.MANUAL : CaptureMode.AUTOMATIC,
  });
  return { accountId, paymentId: payment?.paymentId ?? "" };
}

/** Opens the account and pays. */
export async function begin(stack: Stack, accountId: string, plot: Plot = {}): Promise<Story> {
  await openAccount(stack, accountId, plot.funds);
  return pay(stack, accountId, plot);
}

/** The payment's row. */
export async function rowOf(stack: Stack, { paymentId }: Story): Promise<Payment> {
  const db = await stack.platform.database("payment");
  const row = await db.collection<Payment>("payments").findOne({ "_id.id": paymentId });
  if (row === null) throw new Error(`no row of ${paymentId}`);
  return row;
}

/** Waits until the row is as asked. */
export function rowBecomes(
  stack: Stack,
  story: Story,
  what: string,
  test: (row: Payment) => boolean,
): Promise<Payment> {
  return waitUntil(
    async () => {
      const row = await rowOf(stack, story);
      return test(row) && row;
    },
    { what: `${story.accountId}: ${what}` },
  ).catch(async (error: unknown) => {
    const { status, step, phase, failure } = await rowOf(stack, story);
    const is = JSON.stringify([status, step, phase.kind, failure]);
    throw new Error(`${String(error)}; is ${is}; ${await lastEvents(stack, story)}`);
  });
}

/** What a person or a fraud rule decides. */
export function decide(stack: Stack, { paymentId }: Story, decision: "PASS" | "FAIL") {
  const subject = { case: "paymentId", value: paymentId } as const;
  return stack.fraud.submitDecision({ subject, decision: FraudDecision[decision] });
}

/** How a story ends. */
export interface End {
  readonly status: "SUCCEEDED" | "FAILED" | "CANCELLED";
  /** Absent when it succeeded. */
  readonly reason?: string;
  /** Minor units; default all of them when it succeeded. */
  readonly captured?: bigint;
}

/** The end of a payment that was settled as planned. */
export const SETTLED: End = { status: "SUCCEEDED" };
/** The end of a payment that was cancelled in time. */
export const CANCELLED: End = { status: "CANCELLED", reason: "CANCELLED" };
/** The end of a payment that failed and left no trace in the books. */
export const failed = (reason: string): End => ({ status: "FAILED", reason });

/**
 * Waits for the story's end and holds every book against it: the row, the payer's balance, the provider's book, the fraud
 * tally, the one message, and the workflow, which must be over as well.
 */
export async function expectEnd(stack: Stack, story: Story, end: End, plot: Plot = {}) {
  const row = await rowBecomes(stack, story, "final", ({ final }) => final);
  const captured = end.captured ?? (end.status === "SUCCEEDED" ? (plot.amount ?? 100n) : 0n);
  expect(
    { status: row.status, reason: row.failure?.reason, captured: row.capturedAmount },
    `row of ${story.accountId}`,
  ).toEqual({ status: end.status, reason: end.reason, captured });
  await expectWorkflowOver(stack, story);
  await expectLedger(stack, story, captured, plot.funds ?? FUNDS);
  await expectProvider(stack, story, captured);
  await expectOneMessage(stack, story, row);
  if (end.status !== "SUCCEEDED") await expectCheckReleased(stack, story, end);
}

/** A run may have to begin its last task again, for which the server waits longer each time, in milliseconds. */
const OVER_MS = 90_000;

async function lastEvents(stack: Stack, { paymentId }: Pick<Story, "paymentId">): Promise<string> {
  const { client } = await stack.platform.temporal();
  const handle = client.workflow.getHandle(`payment-${paymentId}`);
  const { events } = await handle.fetchHistory();
  const { raw } = await handle.describe();
  const waits = raw.pendingActivities?.map(
    ({ activityType, state, attempt, lastFailure }) =>
      `${activityType?.name} in state ${state}, try ${attempt}, last ${lastFailure?.message}`,
  );
  return `its last events are ${events?.slice(-30).map(eventText).join(", ")}; it waits for ${waits?.join("; ")}`;
}

type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;
type HistoryEvent = NonNullable<History["events"]>[number];

/** Number of the event's type, its second, and why a task failed. */
function eventText(event: HistoryEvent): string {
  const { eventType, eventTime, workflowTaskFailedEventAttributes } = event;
  const cause = workflowTaskFailedEventAttributes;
  const why = cause ? ` (${cause.cause} ${cause.failure?.message ?? ""})` : "";
  return `${eventType}@${Number(eventTime?.seconds ?? 0) % 1_000}${why}`;
}

/** Only an operator terminates; a run that failed or was cancelled would be a bug of the saga. */
async function expectWorkflowOver(stack: Stack, { accountId, paymentId }: Story): Promise<void> {
  const { client } = await stack.platform.temporal();
  const handle = client.workflow.getHandle(`payment-${paymentId}`);
  const over = await waitUntil(
    async () => {
      const { status } = await handle.describe();
      return status.name !== "RUNNING" && status.name;
    },
    { what: `the workflow of ${accountId}`, boundMs: OVER_MS },
  ).catch(async (error: unknown) => {
    throw new Error(`${String(error)}; ${await lastEvents(stack, { paymentId })}`);
  });
  expect(["COMPLETED", "TERMINATED"], accountId).toContain(over);
}

async function expectLedger(
  stack: Stack,
  { accountId }: Story,
  captured: bigint,
  funds: bigint,
): Promise<void> {
  const { account } = await stack.account.getAccount({ accountId });
  expect(
    { balance: account?.balance?.minorUnits, held: account?.held?.minorUnits },
    `ledger of ${accountId}`,
  ).toEqual({ balance: funds - captured, held: 0n });
}

/** The provider's own record of the payment; undefined when it never heard of it. */
export async function transactionOf(
  stack: Stack,
  { paymentId }: Story,
): Promise<Transaction | undefined> {
  const authorizationKey = `${paymentId}:authorize`;
  return stack.gateway.getTransaction({ authorizationKey }).then(
    ({ transaction }) => transaction,
    () => undefined,
  );
}

async function expectProvider(stack: Stack, story: Story, captured: bigint): Promise<void> {
  const kept = (transaction: Transaction | undefined): bigint =>
    (transaction?.capturedAmount?.minorUnits ?? 0n) -
    (transaction?.refundedAmount?.minorUnits ?? 0n);
  const alive: readonly (TransactionState | undefined)[] = [
    TransactionState.AUTHORIZED,
    TransactionState.PENDING,
  ];
  // An authorisation that came to life after the end is given up by a reconcile, a moment later.
  const settled = await waitUntil(async () => {
    const transaction = await transactionOf(stack, story);
    return !alive.includes(transaction?.state) && { kept: kept(transaction) };
  });
  expect(settled.kept, `the provider's book of ${story.accountId}`).toBe(captured);
}

async function expectOneMessage(stack: Stack, story: Story, row: Payment): Promise<void> {
  const { paymentId, accountId } = story;
  await rowBecomes(stack, story, "told", ({ notify }) => notify === null);
  const { notifications } = await stack.notification.list({ paymentId });
  expect(
    notifications.map(({ notificationId }) => notificationId),
    `messages to ${accountId}`,
  ).toEqual([`${paymentId}:${eventOf(row.status)}`]);
}

/** An undone payment gives its fraud tally back, or leaves a tombstone; a declined hold never got to its check. */
async function expectCheckReleased(stack: Stack, story: Story, end: End): Promise<void> {
  const { paymentId, accountId } = story;
  const check = await stack.fraud.getCheck({ checkId: `${paymentId}:fraud-check` }).then(
    (answer) => answer.check,
    () => undefined,
  );
  const began = end.reason !== "INSUFFICIENT_FUNDS";
  expect(check?.released, `check of ${accountId}`).toBe(began ? true : undefined);
}

/** Kinds of the tasks that were opened for the payment. */
export async function tasksOf(stack: Stack, { paymentId }: Story): Promise<string[]> {
  const db = await stack.platform.database("payment");
  const tasks = await db.collection("tasks").find({ paymentId }).toArray();
  return tasks.map(({ kind }) => String(kind));
}
