import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PaymentStatus, RefundStatus } from "#gen/payment/v1/payment_pb.ts";
import type { Env } from "#kit/config.ts";
import { KeyedQueue } from "#kit/keyed-queue.ts";
import { closePeers } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { type Fault, faults } from "#test/support/faults.ts";
import { startFaultyStack } from "#test/support/faulty-stack.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  CANCELLED,
  type End,
  expectEnd,
  FUNDS,
  failed,
  openAccount,
  pay,
  rowBecomes,
  SETTLED,
  type Story,
  tasksOf,
} from "./story.ts";

/** A step of a payment, by the call it makes, and the end of a payment that takes it. */
export interface StepCase {
  readonly step: string;
  readonly method: string;
  readonly end: End;
}

const UNDONE = failed("FRAUD_REJECTED");

/** Every call a payment makes on its way to success, then those of its undo. */
export const STEPS: readonly StepCase[] = [
  { step: "hold", method: "PlaceHold", end: SETTLED },
  { step: "fraud check", method: "Evaluate", end: SETTLED },
  { step: "authorise", method: "Authorize", end: SETTLED },
  { step: "capture at the provider", method: "Capture", end: SETTLED },
  { step: "capture in the ledger", method: "CaptureHold", end: SETTLED },
  { step: "notify", method: "Send", end: SETTLED },
  { step: "void", method: "Void", end: UNDONE },
  { step: "release", method: "ReleaseHold", end: UNDONE },
  { step: "fraud release", method: "Release", end: UNDONE },
  { step: "notify of an undone payment", method: "Send", end: UNDONE },
];

const FAULTS: readonly Fault[] = ["fails", "answer-lost", "hangs", "hangs-after", "lost-401"];

/** Once: the next try brings the answer. Four times: past all local tries and into the regular ones. */
const TIMES = [1, 4] as const;

/** Faults that are worth a case of their own when they come once. */
const ONCE: ReadonlySet<Fault> = new Set(["fails", "answer-lost"]);

interface MatrixCase extends StepCase {
  readonly accountId: string;
  readonly fault: Fault;
  readonly times: number;
}

const CASES: readonly MatrixCase[] = STEPS.flatMap((step) =>
  FAULTS.flatMap((fault) =>
    // What hangs once, or is refused once by a stranger, meets the same code as what fails once.
    TIMES.filter((times) => times > 1 || ONCE.has(fault)).map((times) => ({
      ...step,
      fault,
      times,
      accountId: "",
    })),
  ),
).map((each, index) => {
  const accountId = `${each.end === UNDONE ? "denied" : "good"}-${index}`;
  return { ...each, accountId };
});

/** Durations short enough for a fault to cost a second, in the proportions of the real ones. */
export const SHORT_STEPS: Env = {
  SETTLE_STEP_LOCAL_TIMEOUT: "400ms",
  SETTLE_STEP_TIMEOUT: "2s",
  SETTLE_STEP_BACKOFF_MAX: "100ms",
  SETTLE_SWEEP_INTERVAL: "500ms",
  SETTLE_SWEEP_AFTER: "2s",
};

/** Payments under way at once: more of them starve each other on two cores, until their steps run out of time. */
const LANES = 8;

/** For a case to have its turn and end. */
const TURN_MS = 240_000;

/** Pays and waits for the end, which the case's own test judges, also when it does not come. */
async function payToTheEnd(stack: Stack, accountId: string): Promise<string> {
  const story = await pay(stack, accountId);
  await rowBecomes(stack, story, "final", ({ final }) => final).catch(() => undefined);
  return story.paymentId;
}

/**
 * Registers a test for each step, fault and number of faults. The payments run beside each other, some at once, and each
 * test looks at its own.
 */
export function describeFaultMatrix(title: string, env: Env): void {
  describe(title, () => {
    let stack: Stack;
    const left = new Map<string, () => number>();
    const paid = new Map<string, Promise<string>>();

    beforeAll(async () => {
      const denied = CASES.filter(({ end }) => end === UNDONE).map(({ accountId }) => accountId);
      stack = await startFaultyStack({
        ...SHORT_STEPS,
        SETTLE_FRAUD_DENIED_ACCOUNTS: denied.join(","),
        SETTLE_UNDO_ATTEMPTS_BEFORE_TASK: "2",
        ...env,
      });
      await Promise.all(CASES.map(({ accountId }) => openAccount(stack, accountId)));
      const lanes = new KeyedQueue();
      for (const [index, { accountId, method, fault, times }] of CASES.entries()) {
        left.set(accountId, faults.plan(accountId, method, fault, times));
        const lane = String(index % LANES);
        paid.set(
          accountId,
          lanes.run(lane, () => payToTheEnd(stack, accountId)),
        );
      }
    });
    afterAll(async () => {
      await stack?.[Symbol.asyncDispose]();
      closePeers();
    });

    test.each(CASES)(
      "$step $fault $times times and takes effect once ($accountId)",
      async ({ accountId, end }) => {
        const paymentId = (await paid.get(accountId)) ?? "";
        await expectEnd(stack, { accountId, paymentId }, end);
        expect(left.get(accountId)?.(), "faults that were never met").toBe(0);
      },
      TURN_MS,
    );

    describeUndo(() => stack);
    describeRefusals(() => stack);

    test("leaves books that balance", async () => {
      await expectBooksBalance(stack);
    });
  });
}

/** What a step does that is refused for long by somebody who does not know what happened, and what an undo then finds. */
function describeRefusals(stack: () => Stack): void {
  test("waits, and a person is told, while a proxy answers 404 in the ledger's place", async () => {
    const accountId = "proxy-404";
    await openAccount(stack(), accountId);
    const left = faults.plan(accountId, "PlaceHold", "refused-404", 8);
    const story = await pay(stack(), accountId);
    await expectEnd(stack(), story, SETTLED);
    expect(left()).toBe(0);
    expect(await tasksOf(stack(), story)).toEqual(["STEP_STUCK"]);
  });

  test("gives a hold back by its posting when it was captured although the payment is undone", async () => {
    const accountId = "captured-while-undone";
    await openAccount(stack(), accountId);
    const story = await pay(stack(), accountId, { behaviour: "NO_CALLBACK" });
    await rowBecomes(stack(), story, "waiting", ({ step }) => step === "AWAIT_CALLBACK");
    const { paymentId } = story;
    const amount = { currencyCode: "USD", minorUnits: 100n };
    const capture = { holdId: `${paymentId}:hold`, transactionId: `${paymentId}:capture`, amount };
    await stack().account.captureHold(capture);
    await stack().payment.cancel({ paymentId });
    await expectEnd(stack(), story, CANCELLED, { behaviour: "NO_CALLBACK" });
  });

  test("refunds once when the refund was made, its answer was lost, and every repeat is answered 401", async () => {
    const accountId = "refund-401";
    await openAccount(stack(), accountId);
    const story = await pay(stack(), accountId);
    await expectEnd(stack(), story, SETTLED);
    const lost = faults.plan(accountId, "Refund", "lost-401", 6);
    const { paymentId } = story;
    const { refund } = await stack().payment.refund({ paymentId });
    const refundId = refund?.refundId ?? "";
    await waitUntil(async () => {
      const { refund: now } = await stack().payment.getRefund({ refundId });
      return now?.status === RefundStatus.SUCCEEDED;
    });
    expect(lost()).toBe(0);
    const { transaction } = await stack().gateway.getTransaction({
      authorizationKey: `${paymentId}:authorize`,
    });
    expect(transaction?.refundedAmount?.minorUnits).toBe(100n);
    const { account } = await stack().account.getAccount({ accountId });
    expect(account?.balance?.minorUnits).toBe(FUNDS);
  });
}

/** Undos when a step never answers, and when the undo itself fails for long. */
function describeUndo(stack: () => Stack): void {
  test.each([
    ["PlaceHold", "account::debit"],
    ["Authorize", "gateway::authorize"],
  ])(
    "is undone when it is cancelled while %s took effect and never answers, since the undo was registered first",
    async (method, activity) => {
      const accountId = `silent-${method}`;
      await openAccount(stack(), accountId);
      const pause = faults.pause(accountId, method, "after");
      const story = await pay(stack(), accountId);
      await pause.reached;
      await waitUntil(() => isPending(stack(), story, activity), { what: `${activity} to wait` });
      const { payment } = await stack().payment.cancel({ paymentId: story.paymentId });
      expect(payment?.status).toBe(PaymentStatus.CANCELLED);
      await expectEnd(stack(), story, CANCELLED);
      pause.release();
    },
  );

  test("is undone however long the release fails, and a person is told meanwhile", async () => {
    const accountId = "release-fails";
    await openAccount(stack(), accountId);
    const outage = faults.breakDown(accountId, "ReleaseHold");
    const story = await pay(stack(), accountId, { behaviour: "DECLINE" });
    await waitUntil(async () => (await tasksOf(stack(), story)).includes("COMPENSATION_FAILED"), {
      what: "a task for a person",
    });
    const before = outage.calls();
    await waitUntil(async () => outage.calls() > before + 2, { what: "further tries" });
    outage.lift();
    await expectEnd(stack(), story, failed("GATEWAY_DECLINED"), { behaviour: "DECLINE" });
  });
}

/** Whether the payment's workflow waits for a regular try of the activity. */
async function isPending(stack: Stack, { paymentId }: Story, activity: string): Promise<boolean> {
  const { client } = await stack.platform.temporal();
  const { raw } = await client.workflow.getHandle(`payment-${paymentId}`).describe();
  return (
    raw.pendingActivities?.some(({ activityType }) => activityType?.name === activity) ?? false
  );
}
