import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PaymentStatus } from "#gen/payment/v1/payment_pb.ts";
import { closePeers } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { cancelSignal } from "#services/payment/contract.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { startFaultyStack } from "#test/support/faulty-stack.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  isDecided,
  PATIENT_STEPS,
  STOPS,
  type StopCase,
  type Stopped,
  stopAll,
} from "./step-matrix.ts";
import {
  begin,
  CANCELLED,
  type End,
  expectEnd,
  type Plot,
  rowBecomes,
  type Story,
} from "./story.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

/** Where a payment rests between two steps. */
const RESTING: readonly (Plot & { readonly accountId: string; readonly rests: string })[] = [
  { accountId: "rests-callback", behaviour: "NO_CALLBACK", rests: "AWAIT_CALLBACK" },
  { accountId: "rests-review", amount: 600n, rests: "FRAUD_CHECK" },
  { accountId: "rests-capture", manual: true, rests: "CAPTURE" },
];

/**
 * The signal is in the history before the step goes on. In regular mode the saga sees it then, and follows it unless it has
 * decided; in local-first mode a whole payment can be one task, which is then run again with the signal at its beginning.
 */
describe.each(["local-first", "regular"])("a cancel in steps mode %s", (mode) => {
  let stack: Stack;
  const stories = new Map<string, Stopped>();
  const answers = new Map<string, Promise<string>>();

  beforeAll(async () => {
    stack = await startFaultyStack({
      ...PATIENT_STEPS,
      SETTLE_STEPS_MODE: mode,
      SETTLE_FRAUD_REVIEW_LIMITS: "USD:500",
      SETTLE_GATEWAY_CALLBACK_DELAY: "3s",
    });
    const { client } = await stack.platform.temporal();
    for (const story of await stopAll(stack)) {
      const { accountId, paymentId } = story;
      const handle = client.workflow.getHandle(`payment-${paymentId}`);
      await handle.signal(cancelSignal, { requestId: `signal-${paymentId}` });
      stories.set(accountId, story);
      answers.set(accountId, cancel(stack, story));
    }
    for (const { pause } of stories.values()) pause.release();
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    closePeers();
  });

  test.each(STOPS)("$where $step ($accountId) is answered as the payment ends", async (stop) => {
    const story = stories.get(stop.accountId);
    if (!story) throw new Error(`no story ${stop.accountId}`);
    const answer = await answers.get(stop.accountId);
    const row = await rowBecomes(stack, story, "final", ({ final }) => final);
    expect(answer).toBe(row.status === "CANCELLED" ? "CANCELLED" : "NOT_CANCELLABLE");
    const possible = endsOf(stop, mode);
    const end = possible.find(({ status }) => status === row.status);
    expect(possible.map(({ status }) => status)).toContain(row.status);
    if (end) await expectEnd(stack, story, end);
  });

  test.each(RESTING)("while the payment rests at $rests undoes it", async ({ rests, ...plot }) => {
    const story = await begin(stack, plot.accountId, plot);
    await rowBecomes(stack, story, `at ${rests}`, ({ step }) => step === rests);
    await waitUntil(() => isIdle(stack, story, rests === "FRAUD_CHECK" ? 0 : 1), {
      what: "a workflow with nothing to do",
    });
    const [first, second] = await Promise.all([cancel(stack, story), cancel(stack, story)]);
    expect([first, second]).toEqual(["CANCELLED", "CANCELLED"]);
    await expectEnd(stack, story, CANCELLED, plot);
    expect(await cancel(stack, story)).toBe("CANCELLED");
  });

  test("leaves books that balance", async () => {
    await expectBooksBalance(stack);
  });
});

/** What may become of a payment that is cancelled at the stop. */
function endsOf(stop: StopCase, mode: string): readonly End[] {
  if (isDecided(stop)) return [stop.end];
  return mode === "regular" ? [CANCELLED] : [CANCELLED, stop.end];
}

/**
 * Whether the saga has taken in what happened, `answers` of the fraud workflow included. An answer of the fraud workflow that meets the last task of a cancelled
 * payment makes Temporal run that task again without the update: the row is final, the run lingers until its next deadline.
 */
async function isIdle(stack: Stack, { paymentId }: Story, answers: number): Promise<boolean> {
  const { client } = await stack.platform.temporal();
  const { events } = await client.workflow.getHandle(`payment-${paymentId}`).fetchHistory();
  const seen = events?.filter((event) => event.childWorkflowExecutionCompletedEventAttributes);
  // A task that waits writes its timer after its completion.
  const last = events?.at(-1);
  const rests = last?.workflowTaskCompletedEventAttributes ?? last?.timerStartedEventAttributes;
  return seen?.length === answers && Boolean(rests);
}

/** CANCELLED, or the reason of the refusal. */
async function cancel(stack: Stack, { paymentId }: Story): Promise<string> {
  try {
    const { payment } = await stack.payment.cancel({ paymentId });
    return payment?.status === PaymentStatus.CANCELLED ? "CANCELLED" : `status ${payment?.status}`;
  } catch (error) {
    return reasonOf(ConnectError.from(error)) ?? String(error);
  }
}
