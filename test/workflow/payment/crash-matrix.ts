import { afterAll, beforeAll, describe, test } from "vitest";
import { closePeers } from "#kit/rpc/client.ts";
import { cancelSignal } from "#services/payment/contract.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { faults } from "#test/support/faults.ts";
import { startFaultyStack } from "#test/support/faulty-stack.ts";
import { type PaymentProcess, startPaymentProcess } from "#test/support/payment-process.ts";
import type { Stack } from "#test/support/stack.ts";
import {
  CANCELLED,
  decide,
  type End,
  expectEnd,
  failed,
  openAccount,
  type Plot,
  pay,
  rowBecomes,
  SETTLED,
  type Story,
} from "./story.ts";

/**
 * Each payment is stopped right after one call took effect; then the process that runs it is killed, so that its task is lost
 * with everything it knew. Before it is run again the opposite decision is waiting in its history.
 */
interface Crash extends Plot {
  readonly accountId: string;
  readonly title: string;
  /** The call whose effect stands and whose answer nobody got. */
  readonly method: string;
  readonly meanwhile: (stack: Stack, story: Story) => Promise<unknown>;
  readonly end: End;
}

const cancel = async (stack: Stack, { paymentId }: Story): Promise<void> => {
  const { client } = await stack.platform.temporal();
  const handle = client.workflow.getHandle(`payment-${paymentId}`);
  await handle.signal(cancelSignal, { requestId: "after-the-crash" });
};
const nothing = async (): Promise<void> => undefined;
const DECIDE_AMOUNT = 600n;

const CRASHES: readonly Crash[] = [
  {
    accountId: "hold-cancel",
    title: "held, then cancelled: the hold is released",
    method: "PlaceHold",
    meanwhile: cancel,
    end: CANCELLED,
  },
  {
    accountId: "authorize-cancel",
    title: "authorised, then cancelled: the authorisation is voided",
    method: "Authorize",
    meanwhile: cancel,
    end: CANCELLED,
  },
  {
    accountId: "denied-authorize",
    title: "authorised, then failed by fraud: the authorisation is voided",
    method: "Authorize",
    meanwhile: nothing,
    end: failed("FRAUD_REJECTED"),
  },
  {
    accountId: "capture-cancel",
    title: "captured at the provider, then cancelled: it is settled",
    method: "Capture",
    meanwhile: cancel,
    end: SETTLED,
  },
  {
    accountId: "ledger-cancel",
    title: "captured in the ledger, then cancelled: it is settled",
    method: "CaptureHold",
    meanwhile: cancel,
    end: SETTLED,
  },
  {
    accountId: "capture-timer",
    title: "captured after its callback, then past its deadline: it is settled",
    method: "Capture",
    behaviour: "CALLBACK",
    meanwhile: nothing,
    end: SETTLED,
  },
  {
    accountId: "review-fail",
    title: "captured after a person passed it, then failed by another: it is settled",
    method: "Capture",
    amount: DECIDE_AMOUNT,
    meanwhile: (stack, story) => decide(stack, story, "FAIL").catch(() => undefined),
    end: SETTLED,
  },
  {
    accountId: "denied-void",
    title: "voided, then a callback says authorised: it stays undone",
    method: "Void",
    behaviour: "CALLBACK",
    meanwhile: nothing,
    end: failed("FRAUD_REJECTED"),
  },
  {
    accountId: "denied-release",
    title: "released, then cancelled: it stays failed",
    method: "ReleaseHold",
    meanwhile: cancel,
    end: failed("FRAUD_REJECTED"),
  },
];

/** Registers a test for each crash, in one steps mode: the wait for a lost task is long, so each mode is a file of its own. */
export function describeCrashes(mode: "local-first" | "regular"): void {
  describe(`a payment in steps mode ${mode} whose task is lost`, () => {
    let stack: Stack;
    let payment: PaymentProcess | undefined;
    const stories = new Map<string, Story>();

    beforeAll(async () => {
      stack = await startFaultyStack({
        SETTLE_STEPS_MODE: mode,
        SETTLE_STEP_LOCAL_TIMEOUT: "20s",
        SETTLE_STEP_TIMEOUT: "8s",
        SETTLE_CALLBACK_TIMEOUT: "6s",
        SETTLE_GATEWAY_CALLBACK_DELAY: "1s",
        SETTLE_FRAUD_REVIEW_LIMITS: `USD:${DECIDE_AMOUNT - 1n}`,
        SETTLE_FRAUD_DENIED_ACCOUNTS: "denied-authorize,denied-void,denied-release",
        SETTLE_SWEEP_INTERVAL: "1s",
      });
      await stack.stop("payment");
      payment = await startPaymentProcess(stack);
      await crashAll(stack, stories, payment);
      payment = await startPaymentProcess(stack);
    });
    afterAll(async () => {
      await payment?.kill();
      await stack?.[Symbol.asyncDispose]();
      closePeers();
    });

    const cases = CRASHES.map((crash) => [crash.title, crash] as const);
    test.each(cases)("%s", async (_title, { accountId, end, ...plot }) => {
      const story = stories.get(accountId);
      if (!story) throw new Error(`no story ${accountId}`);
      await expectEnd(stack, story, end, plot);
    });

    test("leaves books that balance", async () => {
      await expectBooksBalance(stack);
    });
  });
}

/** Brings every payment to its stop, kills the process, and lets the opposite decisions come in. */
async function crashAll(
  stack: Stack,
  stories: Map<string, Story>,
  payment: PaymentProcess,
): Promise<void> {
  const stopped = await Promise.all(
    CRASHES.map(async ({ accountId, method, funds, ...plot }) => {
      await openAccount(stack, accountId, funds);
      const pause = faults.pause(accountId, method, "after");
      const story = await pay(stack, accountId, plot);
      stories.set(accountId, story);
      if (plot.amount === DECIDE_AMOUNT) {
        await rowBecomes(stack, story, "in review", ({ step }) => step === "FRAUD_CHECK");
        await decide(stack, story, "PASS");
      }
      await pause.reached;
      return pause;
    }),
  );
  await payment.kill();
  for (const pause of stopped) pause.release();
  for (const { accountId, meanwhile } of CRASHES) {
    const story = stories.get(accountId);
    if (story) await meanwhile(stack, story);
  }
}
