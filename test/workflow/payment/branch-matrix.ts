import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closePeers } from "#kit/rpc/client.ts";
import { SIGNATURE_HEADER, signWebhook } from "#kit/webhook.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { refusalOf } from "#test/support/refusal-of.ts";
import { type SkippingStack, startSkippingStack } from "#test/support/skipping-stack.ts";
import { GATEWAY_SECRET } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  begin,
  decide,
  type End,
  expectEnd,
  failed,
  type Plot,
  rowBecomes,
  rowOf,
  SETTLED,
  type Story,
  tasksOf,
  transactionOf,
} from "./story.ts";

/** Amount from which a person must decide. */
const REVIEWED = 600n;

interface Case extends Plot {
  readonly title: string;
  readonly end: End;
}

/** What ends by itself without any waiting for workflow time. */
const AT_ONCE: Readonly<Record<string, Case>> = {
  settled: { title: "is settled when the provider answers at once", end: SETTLED },
  callback: {
    title: "is settled when the provider answers by callback",
    behaviour: "CALLBACK",
    end: SETTLED,
  },
  duplicate: {
    title: "is settled once when the callback comes three times",
    behaviour: "DUPLICATE_CALLBACK",
    end: SETTLED,
  },
  forged: {
    title: "is settled although a forged decline came before the true callback",
    behaviour: "FORGED_CALLBACK",
    end: SETTLED,
  },
  flaky: {
    title: "is settled when the provider fails at first",
    behaviour: "FLAKY",
    end: SETTLED,
  },
  dropped: {
    title: "is settled once when the provider loses the first answer of every operation",
    behaviour: "APPLY_THEN_DROP",
    end: SETTLED,
  },
  poor: {
    title: "fails without void and release when the hold is declined",
    funds: 99n,
    end: failed("INSUFFICIENT_FUNDS"),
  },
  declined: {
    title: "is undone when the provider declines at once",
    behaviour: "DECLINE",
    end: failed("GATEWAY_DECLINED"),
  },
  denied: { title: "is undone when fraud fails it", end: failed("FRAUD_REJECTED") },
  "denied-waiting": {
    title: "is undone when fraud fails it while the callback is awaited",
    behaviour: "NO_CALLBACK",
    end: failed("FRAUD_REJECTED"),
  },
  "declined-in-review": {
    title: "is undone when the provider declines while a person looks at it",
    behaviour: "DECLINE",
    amount: REVIEWED,
    end: failed("GATEWAY_DECLINED"),
  },
};

/** What waits, from the beginning of the file on. */
const WAITING = {
  unknown: { behaviour: "HANG" },
  pending: { behaviour: "LATE_CALLBACK" },
  silent: { behaviour: "NO_CALLBACK" },
  refused: { behaviour: "LATE_CALLBACK" },
  "review-pass": { amount: REVIEWED },
  "review-fail": { amount: REVIEWED },
  "review-callback": { amount: REVIEWED, behaviour: "CALLBACK" },
  "late-pass": { amount: REVIEWED },
  "late-fail": { amount: REVIEWED },
  forgotten: { amount: REVIEWED },
  childless: { amount: REVIEWED },
  captured: { manual: true },
  uncaptured: { manual: true },
} as const satisfies Record<string, Plot>;

/** The stack of the file's one describe, and its payments by name. */
let stack: SkippingStack;
const stories = new Map<string, Story>();

function story(name: string): Story {
  const found = stories.get(name);
  if (!found) throw new Error(`no story ${name}`);
  return found;
}

/** Every way a payment can end, under skipped time, in one fraud mode. */
export function describeBranches(mode: "child" | "inline"): void {
  describe(`a payment in fraud mode ${mode}`, () => {
    // All payments are made before the first skip: their rows keep real time, so they can age only together.
    beforeAll(async () => {
      stack = await startSkippingStack({
        SETTLE_FRAUD_MODE: mode,
        SETTLE_FRAUD_DENIED_ACCOUNTS: "denied,denied-waiting",
        SETTLE_FRAUD_REVIEW_LIMITS: `USD:${REVIEWED - 1n}`,
        // The provider calls back when the test says so, however slow the machine is.
        SETTLE_GATEWAY_CALLBACK_DELAY: "1h",
        SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "1h",
        SETTLE_STEP_TIMEOUT: "1s",
        SETTLE_STEP_BACKOFF_MAX: "60s",
        SETTLE_SWEEP_INTERVAL: "1s",
      });
      const plots: Readonly<Record<string, Plot>> = { ...WAITING, ...AT_ONCE };
      await Promise.all(
        Object.entries(plots).map(async ([name, plot]) => {
          stories.set(name, await begin(stack, name, plot));
        }),
      );
    });
    afterAll(async () => {
      await stack?.[Symbol.asyncDispose]();
      closePeers();
    });

    const cases = Object.entries(AT_ONCE).map(
      ([name, found]) => [found.title, name, found] as const,
    );
    test.each(cases)("%s", async (_title, name, { end, ...plot }) => {
      if (plot.behaviour?.endsWith("_CALLBACK") || plot.behaviour === "CALLBACK") {
        if (end === SETTLED) await callBackOnceParked(stack, story(name));
      }
      await expectEnd(stack, story(name), end, plot);
    });

    describeProvider();
    describePerson();
    describeLate();
  });
}

function describeProvider(): void {
  test("is undone when the provider declines by callback", async () => {
    const { paymentId } = story("refused");
    await rowBecomes(stack, story("refused"), "parked", ({ step }) => step === "AWAIT_CALLBACK");
    expect(await sendDecline(stack, paymentId)).toBe(200);
    expect(await sendDecline(stack, paymentId)).toBe(200);
    const row = await rowBecomes(stack, story("refused"), "final", ({ final }) => final);
    expect(row.failure?.reason).toBe("GATEWAY_DECLINED");
  });

  test("captures a part of the authorised amount once and releases the rest", async () => {
    const { paymentId } = story("captured");
    await rowBecomes(stack, story("captured"), "ready", (row) => row.status === "REQUIRES_CAPTURE");
    const capture = (requestId: string) =>
      stack.payment.capture({
        paymentId,
        requestId,
        amount: { currencyCode: "USD", minorUnits: 60n },
      });
    await capture("first");
    await capture("first");
    expect(await refusalOf(capture("second"))).toBe("FailedPrecondition NOT_CAPTURABLE");
    await expectEnd(stack, story("captured"), { ...SETTLED, captured: 60n });
  });

  test("still waits for everybody just before the five minutes are over", async () => {
    for (const name of ["pending", "silent"]) {
      await rowBecomes(stack, story(name), "parked", ({ step }) => step === "AWAIT_CALLBACK");
    }
    await rowBecomes(stack, story("unknown"), "parked", ({ step }) => step === "GATEWAY");
    await callBackOnceSeen(stack, story("review-callback"));
    await stack.skip("4m");
    for (const name of ["pending", "silent", "unknown"]) {
      expect((await rowOf(stack, story(name))).final, name).toBe(false);
    }
  });

  test("asks the provider once after five minutes: unknown or pending is undone, authorised is settled", async () => {
    await callBackNow(stack, story("silent"));
    await stack.skip("2m");
    await expectEnd(stack, story("unknown"), failed("GATEWAY_TIMEOUT"));
    const pending = await rowBecomes(stack, story("pending"), "final", ({ final }) => final);
    expect(pending.failure?.reason).toBe("GATEWAY_TIMEOUT");
    await expectEnd(stack, story("silent"), SETTLED);
  });
}

function describePerson(): void {
  test("follows a person who decides a review within ten minutes", async () => {
    for (const name of ["review-pass", "review-fail", "review-callback"]) {
      const row = await rowOf(stack, story(name));
      expect([row.status, row.step], name).toEqual(["PROCESSING", "FRAUD_CHECK"]);
    }
    await decide(stack, story("review-pass"), "PASS");
    await decide(stack, story("review-fail"), "FAIL");
    await decide(stack, story("review-callback"), "PASS");
    await expect(decide(stack, story("review-pass"), "FAIL")).rejects.toThrow();
    await expectEnd(stack, story("review-pass"), SETTLED, { amount: REVIEWED });
    await expectEnd(stack, story("review-fail"), failed("FRAUD_REJECTED"), { amount: REVIEWED });
    await expectEnd(stack, story("review-callback"), SETTLED, { amount: REVIEWED });
  });

  test("opens a task after ten minutes without a decision and still follows the person", async () => {
    await stack.skip("5m");
    await endChild(stack, story("childless"));
    for (const name of ["late-pass", "late-fail", "forgotten", "childless"]) {
      await rowBecomes(stack, story(name), "review", ({ status }) => status === "NEEDS_REVIEW");
      expect(await tasksOf(stack, story(name)), name).toEqual(["FRAUD_REVIEW"]);
    }
    await decide(stack, story("late-pass"), "PASS");
    await decide(stack, story("late-fail"), "FAIL");
    await expectEnd(stack, story("late-pass"), SETTLED, { amount: REVIEWED });
    await expectEnd(stack, story("late-fail"), failed("FRAUD_REJECTED"), { amount: REVIEWED });
  });
}

function describeLate(): void {
  test("is undone after seven days without a decision or a capture, and not before", async () => {
    await stack.skip("6d");
    expect((await rowOf(stack, story("forgotten"))).status).toBe("NEEDS_REVIEW");
    expect((await rowOf(stack, story("uncaptured"))).status).toBe("REQUIRES_CAPTURE");
    await stack.skip("1d");
    await expectEnd(stack, story("forgotten"), failed("FRAUD_REVIEW_EXPIRED"));
    await expectEnd(stack, story("childless"), failed("FRAUD_REVIEW_EXPIRED"));
    await expectEnd(stack, story("uncaptured"), failed("CAPTURE_EXPIRED"));
    // Whatever waits for days must not fill its history meanwhile.
    for (const name of ["forgotten", "childless", "uncaptured"])
      expect(await eventsOf(stack, story(name)), name).toBeLessThan(200);
  });

  test("gives up an authorisation that came to life after the end, by its late callback", async () => {
    for (const name of ["pending", "refused", "denied-waiting"])
      await callBackNow(stack, story(name));
    await expectEnd(stack, story("pending"), failed("GATEWAY_TIMEOUT"));
    await expectEnd(stack, story("refused"), failed("GATEWAY_DECLINED"));
  });

  test("leaves books that balance", async () => {
    await expectBooksBalance(stack);
  });
}

/** Ends the fraud workflow as an operator would: the saga then looks at the stored decision by itself. */
async function endChild(stack: SkippingStack, { paymentId }: Story): Promise<void> {
  const { client } = await stack.platform.temporal();
  await client.workflow.getHandle(`fraud-check-${paymentId}`).terminate("by an operator");
}

async function eventsOf(stack: SkippingStack, { paymentId }: Story): Promise<number> {
  const { client } = await stack.platform.temporal();
  const { events } = await client.workflow.getHandle(`payment-${paymentId}`).fetchHistory();
  return events?.length ?? 0;
}

/** What the mock has no behaviour for: a signed decline, under an event id of its own. */
async function sendDecline(stack: SkippingStack, paymentId: string): Promise<number> {
  const body = JSON.stringify({
    event_id: `decline-${paymentId}`,
    type: "authorization.declined",
    merchant: "default",
    authorization_key: `${paymentId}:authorize`,
    gateway_reference: "gw_decline",
    merchant_reference: paymentId,
    state: "DECLINED",
    amount: { currency_code: "USD", minor_units: "100" },
    decline_reason: "card_declined",
    occurred_at: new Date().toISOString(),
  });
  const signature = signWebhook(GATEWAY_SECRET, Math.floor(Date.now() / 1_000), body);
  const response = await fetch(`http://${stack.addresses.payment}/callbacks/gateway/mock`, {
    method: "POST",
    headers: { "content-type": "application/json", [SIGNATURE_HEADER]: signature },
    body,
  });
  return response.status;
}

/** A payment in review shows the review, not that it waits for the provider as well. */
async function callBackOnceSeen(stack: SkippingStack, story: Story): Promise<void> {
  await waitUntil(() => transactionOf(stack, story), { what: "the authorisation" });
  await callBackNow(stack, story);
}

async function callBackOnceParked(stack: SkippingStack, story: Story): Promise<void> {
  await rowBecomes(stack, story, "parked", ({ step }) => step === "AWAIT_CALLBACK");
  await callBackNow(stack, story);
}

/** Makes the provider's answer due; it takes effect, voided or not, and is sent. */
async function callBackNow(stack: SkippingStack, { paymentId }: Story): Promise<void> {
  const callbacks = (await stack.platform.database("gateway")).collection("callbacks");
  const task = { "_id.id": `${paymentId}:authorize` };
  const { matchedCount } = await callbacks.updateOne(task, { $set: { dueTime: new Date() } });
  expect(matchedCount).toBe(1);
  await waitUntil(async () => (await callbacks.findOne(task))?.["dueTime"] === null, {
    what: "the callback",
  });
}
