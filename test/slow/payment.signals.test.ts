import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { closePeers } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { faults } from "#test/support/faults.ts";
import { startFaultyStack } from "#test/support/faulty-stack.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  begin,
  decide,
  expectEnd,
  openAccount,
  pay,
  rowBecomes,
  SETTLED,
  type Story,
} from "#test/workflow/payment/story.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

/** What nobody should send. None of it is an answer, a decision or a cancel. */
const GARBAGE: readonly (readonly unknown[])[] = [
  [],
  [null],
  [5],
  ["yes"],
  [[]],
  [{}],
  [{ eventId: 5, outcome: "AUTHORIZED" }],
  [{ eventId: "evt", outcome: "" }],
  [{ eventId: "evt", outcome: "MAYBE", gatewayReference: "", reason: "" }],
  [{ requestId: "" }],
  [{ requestId: 7 }],
  [{ isValid: "true" }],
  [{ isValid: false }],
  [{ checkId: "other", createTimeMs: 0 }],
  [{ checkId: "other", createTimeMs: 1e300 }],
  [{ createTimeMs: -1 }],
  [{ createTimeMs: "now" }],
  ["x".repeat(10_000)],
];

const SIGNALS = ["gateway-callback", "fraud-review", "cancel-payment", "fraud-check", "unheard-of"];

let stack: Stack;
beforeAll(async () => {
  stack = await startFaultyStack({
    SETTLE_FRAUD_REVIEW_LIMITS: "USD:500",
    SETTLE_GATEWAY_CALLBACK_DELAY: "3s",
    // The answer of a repeated question must not be mistaken for the callback's.
    SETTLE_STEPS_MODE: "regular",
  });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  closePeers();
});

async function sendGarbage(workflowId: string): Promise<void> {
  const { client } = await stack.platform.temporal();
  const handle = client.workflow.getHandle(workflowId);
  const all = SIGNALS.flatMap((signal) => GARBAGE.map((args) => ({ signal, args })));
  await Promise.all(all.map(({ signal, args }) => handle.signal<unknown[]>(signal, ...args)));
  const { events } = await handle.fetchHistory();
  const failures = events?.filter((event) => event.workflowTaskFailedEventAttributes);
  expect(failures, "failed workflow tasks").toEqual([]);
}

describe("signals that are garbage", () => {
  test("leave a payment that waits for its callback waiting for it", async () => {
    const story = await begin(stack, "waits", { behaviour: "CALLBACK" });
    await rowBecomes(stack, story, "parked", ({ step }) => step === "AWAIT_CALLBACK");
    await sendGarbage(`payment-${story.paymentId}`);
    await expectEnd(stack, story, SETTLED);
  });

  test("leave a payment and its fraud workflow waiting for a person", async () => {
    const plot = { amount: 600n };
    await openAccount(stack, "reviewed");
    const checking = faults.pause("reviewed", "Evaluate", "before");
    const story = await pay(stack, "reviewed", plot);
    await checking.reached;
    // Before the true signal of the review, which would make the payment deaf to others.
    await sendGarbage(`payment-${story.paymentId}`);
    checking.release();
    await rowBecomes(stack, story, "in review", ({ step }) => step === "FRAUD_CHECK");
    await sendGarbage(`fraud-check-${story.paymentId}`);
    const { step, status } = await rowBecomes(stack, story, "open", ({ final }) => !final);
    expect([status, step]).toEqual(["PROCESSING", "FRAUD_CHECK"]);
    await decide(stack, story, "PASS");
    await expectEnd(stack, story, SETTLED, plot);
  });
});

describe("fraud check and provider", () => {
  test("are asked at the same time: each is reached while the other has not answered", async () => {
    await openAccount(stack, "overlap");
    const pauses = [
      faults.pause("overlap", "Evaluate", "before"),
      faults.pause("overlap", "Authorize", "before"),
    ];
    const story: Story = await pay(stack, "overlap");
    await Promise.all(pauses.map(({ reached }) => reached));
    for (const pause of pauses) pause.release();
    await expectEnd(stack, story, SETTLED);
  });

  test("settle a payment whose callback overtakes the answer while fraud is still at work", async () => {
    await openAccount(stack, "overtaken");
    const checking = faults.pause("overtaken", "Evaluate", "before");
    const asking = faults.pause("overtaken", "Authorize", "after");
    const story = await pay(stack, "overtaken", { behaviour: "CALLBACK" });
    await Promise.all([checking.reached, asking.reached]);
    await waitUntil(() => isSignalled(story), { what: "the callback" });
    checking.release();
    await expectEnd(stack, story, SETTLED);
    asking.release();
  });

  test("settle a payment whose fraud workflow an operator has cancelled", async () => {
    await openAccount(stack, "child-cancelled");
    const checking = faults.pause("child-cancelled", "Evaluate", "after");
    const story = await pay(stack, "child-cancelled");
    await checking.reached;
    const { client } = await stack.platform.temporal();
    const child = client.workflow.getHandle(`fraud-check-${story.paymentId}`);
    await child.cancel();
    await waitUntil(async () => (await child.describe()).status.name === "CANCELLED", {
      what: "the child's end",
    });
    checking.release();
    await expectEnd(stack, story, SETTLED);
  });
});

async function isSignalled({ paymentId }: Story): Promise<boolean> {
  const db = await stack.platform.database("payment");
  return (await db.collection("callbacks").countDocuments({ paymentId, state: "SIGNALLED" })) > 0;
}

test("leaves books that balance", async () => {
  await expectBooksBalance(stack);
});
