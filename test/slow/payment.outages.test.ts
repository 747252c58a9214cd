import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { closePeers } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { faults, type Outage } from "#test/support/faults.ts";
import { type SkippingStack, startSkippingStack } from "#test/support/skipping-stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { SHORT_STEPS } from "#test/workflow/payment/fault-matrix.ts";
import {
  begin,
  type End,
  expectEnd,
  failed,
  openAccount,
  pay,
  rowBecomes,
  rowOf,
  SETTLED,
  type Story,
  tasksOf,
} from "#test/workflow/payment/story.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

const UNDONE = failed("FRAUD_REJECTED");

interface Broken {
  readonly method: string;
  readonly end: End;
  /** On the account while the call fails. */
  readonly held: bigint;
  readonly tasks: readonly string[];
}

/** Calls that decide a payment's end or follow from it, and what it looks like while they fail. */
const BROKEN: readonly Broken[] = [
  { method: "Void", end: UNDONE, held: 100n, tasks: ["COMPENSATION_FAILED"] },
  { method: "ReleaseHold", end: UNDONE, held: 100n, tasks: ["COMPENSATION_FAILED"] },
  { method: "Release", end: UNDONE, held: 0n, tasks: ["COMPENSATION_FAILED"] },
  { method: "Capture", end: SETTLED, held: 100n, tasks: ["STEP_STUCK"] },
  { method: "CaptureHold", end: SETTLED, held: 100n, tasks: ["STEP_STUCK"] },
];

const payerOf = ({ method, end }: Broken): string =>
  `${end === UNDONE ? "denied" : "good"}-${method}`;
const DENIED = [...BROKEN.map(payerOf), "denied-account", "denied-gateway"].filter((name) =>
  name.startsWith("denied"),
);

describe.each(["local-first", "regular"])("an outage in steps mode %s", (mode) => {
  let stack: SkippingStack;
  const stories = new Map<string, Story>();
  const outages = new Map<string, Outage>();
  const storyOf = (broken: Broken): Story => {
    const story = stories.get(payerOf(broken));
    if (!story) throw new Error(`no story of ${broken.method}`);
    return story;
  };

  beforeAll(async () => {
    stack = await startSkippingStack({
      ...SHORT_STEPS,
      SETTLE_STEP_BACKOFF_MAX: "10s",
      SETTLE_STEPS_MODE: mode,
      SETTLE_FRAUD_DENIED_ACCOUNTS: DENIED.join(","),
    });
    for (const broken of BROKEN) {
      const accountId = payerOf(broken);
      await openAccount(stack, accountId);
      outages.set(broken.method, faults.breakDown(accountId, broken.method));
      stories.set(accountId, await pay(stack, accountId));
    }
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    closePeers();
  });

  test("goes on for ten minutes: each call is repeated and nothing behind it happens", async () => {
    for (const broken of BROKEN) {
      const decided = ({ phase }: { phase: { kind: string } }) => phase.kind !== "OPEN";
      await rowBecomes(stack, storyOf(broken), "decided", decided);
    }
    await stack.skip("10m");
    for (const { method } of BROKEN) {
      await waitUntil(async () => (outages.get(method)?.calls() ?? 0) > 40, { what: method });
    }
  });

  test.each(BROKEN)(
    "of $method leaves the payment open, says so to a person, and ends exactly",
    async (broken) => {
      const story = storyOf(broken);
      expect((await rowOf(stack, story)).final).toBe(false);
      expect(await heldOf(stack, story)).toBe(broken.held);
      expect(await tasksOf(stack, story)).toEqual(broken.tasks);
      outages.get(broken.method)?.lift();
      await stack.skip("1m");
      await expectEnd(stack, story, broken.end);
    },
  );

  test("of Account after the void ends with the hold released when it is back", async () => {
    await openAccount(stack, "denied-account");
    const voided = faults.pause("denied-account", "Void", "after");
    const story = await pay(stack, "denied-account");
    await voided.reached;
    await stack.stop("account");
    voided.release();
    // The step waits on the queue of a worker that is gone, and the server skips no time meanwhile.
    await waitUntil(() => waitsForWorker(stack, story, "account::credit"), { what: "the release" });
    expect((await rowOf(stack, story)).final).toBe(false);
    await stack.start("account");
    await expectEnd(stack, story, UNDONE);
  });

  test("of the provider releases nothing before the provider has answered the void", async () => {
    await openAccount(stack, "denied-gateway");
    const checking = faults.pause("denied-gateway", "Evaluate", "before");
    const story = await pay(stack, "denied-gateway");
    await checking.reached;
    await stack.stop("gateway");
    checking.release();
    await rowBecomes(stack, story, "undoing", ({ phase }) => phase.kind === "UNDOING");
    await stack.skip("10m");
    expect(await heldOf(stack, story)).toBe(100n);
    await stack.start("gateway");
    await stack.skip("1m");
    await expectEnd(stack, story, UNDONE);
  });

  test("of Notification delays the message and nothing else", async () => {
    await stack.stop("notification");
    const settled = await begin(stack, "told-later");
    const row = await rowBecomes(stack, settled, "final", ({ final }) => final);
    expect([row.status, row.notify]).toEqual(["SUCCEEDED", "succeeded"]);
    expect(await heldOf(stack, settled)).toBe(0n);
    // A message that is owed is open, not wrong.
    const { ok } = await stack.reporting.audit({});
    expect(ok).toBe(true);
    await stack.start("notification");
    await expectEnd(stack, settled, SETTLED);
  });

  test("of Fraud does not keep the payer's money when the provider declines", async () => {
    await stack.stop("fraud");
    const declined = await begin(stack, "declined-without-fraud", { behaviour: "DECLINE" });
    await rowBecomes(stack, declined, "undoing", ({ phase }) => phase.kind === "UNDOING");
    await waitUntil(async () => (await heldOf(stack, declined)) === 0n, { what: "the release" });
    await stack.start("fraud");
    await expectEnd(stack, declined, failed("GATEWAY_DECLINED"));
  });

  test("leaves books that balance", async () => {
    await expectBooksBalance(stack);
  });
});

async function waitsForWorker(
  stack: SkippingStack,
  { paymentId }: Story,
  activity: string,
): Promise<boolean> {
  const { client } = await stack.platform.temporal();
  const { raw } = await client.workflow.getHandle(`payment-${paymentId}`).describe();
  return (
    raw.pendingActivities?.some(({ activityType }) => activityType?.name === activity) ?? false
  );
}

async function heldOf(stack: SkippingStack, { accountId }: Story): Promise<bigint | undefined> {
  const { account } = await stack.account.getAccount({ accountId });
  return account?.held?.minorUnits;
}
