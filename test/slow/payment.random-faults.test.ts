import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PaymentStatus } from "#gen/payment/v1/payment_pb.ts";
import { closePeers } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { type Fault, faults, STRANGE_CODES } from "#test/support/faults.ts";
import { startFaultyStack } from "#test/support/faulty-stack.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { SHORT_STEPS } from "#test/workflow/payment/fault-matrix.ts";
import {
  BEHAVIOUR,
  FUNDS,
  openAccount,
  pay,
  rowBecomes,
  rowOf,
  type Story,
} from "#test/workflow/payment/story.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

const PAYMENTS = 100;
const LANES = 8;
const TIMEOUT_MS = 10 * 60_000;

/** Every way of a payment between the services, from four seeds: a seed that once failed fails again. */
const SEEDS = [
  [1, { SETTLE_FRAUD_MODE: "child" }],
  [2, { SETTLE_FRAUD_MODE: "inline" }],
  [3, { SETTLE_STEPS_MODE: "regular", SETTLE_FRAUD_MODE: "child" }],
  [4, { SETTLE_STEPS_MODE: "regular", SETTLE_FRAUD_MODE: "inline" }],
] as const;

const METHODS = [
  ...["PlaceHold", "Evaluate", "Authorize", "Capture", "CaptureHold", "Void", "ReleaseHold"],
  ...["Release", "Send", "Refund", "Credit", "GetTransaction", "Reverse"],
];
const STRANGE = Object.keys(STRANGE_CODES).map((code) => `lost-${code}` as Fault);
const KINDS: readonly Fault[] = [
  ...(["fails", "answer-lost", "hangs-after"] as const),
  ...STRANGE,
  ...STRANGE.map((fault) => fault.replace("lost", "refused") as Fault),
];
const BEHAVIOURS = Object.keys(BEHAVIOUR).filter(
  // These two wait for a deadline of minutes.
  (name): name is keyof typeof BEHAVIOUR => name !== "HANG" && name !== "NO_CALLBACK",
);

/** Numbers from 0 to 1, the same for a seed each time. */
function randomOf(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What one payment goes through. */
interface Plan {
  readonly accountId: string;
  readonly behaviour: keyof typeof BEHAVIOUR;
  readonly manual: boolean;
  readonly funds: bigint;
  readonly amount: bigint;
  readonly faults: readonly {
    readonly method: string;
    readonly fault: Fault;
    readonly times: number;
  }[];
  /** What the caller does once the payment is accepted. */
  readonly act: "nothing" | "capture" | "capture in part" | "cancel";
  readonly refunds: readonly bigint[];
}

function planOf(random: () => number, seed: number, index: number): Plan {
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(random() * list.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  };
  const manual = random() < 0.3;
  const amount = BigInt(1 + Math.floor(random() * 300));
  return {
    accountId: `seed-${seed}-${index}`,
    behaviour: pick(BEHAVIOURS),
    manual,
    funds: random() < 0.1 ? 0n : FUNDS,
    amount,
    faults: Array.from({ length: Math.floor(random() * 5) }, () => ({
      method: pick(METHODS),
      fault: pick(KINDS),
      times: 1 + Math.floor(random() * 5),
    })),
    act: manual
      ? pick(["capture", "capture in part", "cancel"] as const)
      : pick(["nothing", "nothing", "cancel"] as const),
    refunds: random() < 0.5 ? [amount / 3n, amount] : [],
  };
}

/** Lives the plan to its end. What a caller is refused is an answer like any other. */
async function live(stack: Stack, plan: Plan): Promise<void> {
  const { accountId, funds } = plan;
  await openAccount(stack, accountId, funds);
  for (const { method, fault, times } of plan.faults) faults.plan(accountId, method, fault, times);
  const story = await pay(stack, accountId, plan);
  await act(stack, story, plan);
  await rowBecomes(stack, story, "final", ({ final }) => final);
  for (const minorUnits of plan.refunds.filter((each) => each > 0n)) {
    const amount = { currencyCode: "USD", minorUnits };
    await stack.payment.refund({ paymentId: story.paymentId, amount }).catch(() => undefined);
  }
}

async function act(stack: Stack, story: Story, { act: what, amount }: Plan): Promise<void> {
  const { paymentId } = story;
  if (what === "nothing") return;
  if (what === "cancel") {
    await stack.payment.cancel({ paymentId }).catch(() => undefined);
    // Refused, it may still wait for its capture; then it is cancelled once it says so.
    if ((await rowOf(stack, story)).captureMode === "AUTOMATIC") return;
  }
  await rowBecomes(stack, story, "final or authorised", ({ final, status }) => {
    return final || status === "REQUIRES_CAPTURE";
  });
  const part = what === "capture in part" && amount > 1n ? { minorUnits: amount / 2n } : undefined;
  const call = () =>
    what === "cancel"
      ? stack.payment.cancel({ paymentId })
      : stack.payment.capture({
          paymentId,
          ...(part && { amount: { currencyCode: "USD", ...part } }),
        });
  await call().catch(() => undefined);
}

describe.each(SEEDS)(`${PAYMENTS} random payments of seed %i`, (seed, env) => {
  let stack: Stack;
  const ends = new Map<string, string>();

  beforeAll(async () => {
    stack = await startFaultyStack({
      ...SHORT_STEPS,
      ...env,
      SETTLE_GATEWAY_CALLBACK_DELAY: "100ms",
      SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "3s",
      SETTLE_CALLBACK_TIMEOUT: "4s",
      SETTLE_NOTIFICATION_INTERVAL: "200ms",
    });
    const random = randomOf(seed);
    const plans = Array.from({ length: PAYMENTS }, (_, index) => planOf(random, seed, index));
    const waiting = plans.values();
    const lane = async (): Promise<void> => {
      for (const plan of waiting) {
        const end = await live(stack, plan).then(
          () => "ended",
          (error: unknown) => `${String(error)}; its plan: ${describePlan(plan)}`,
        );
        ends.set(plan.accountId, end);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }, TIMEOUT_MS);
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    closePeers();
  });

  test("all end, whatever fails on the way", () => {
    const stuck = [...ends].filter(([, end]) => end !== "ended");
    expect(stuck).toEqual([]);
    expect(ends.size).toBe(PAYMENTS);
  });

  test(
    "leave books without a fault, and contradict no answer that was given",
    async () => {
      const { payments } = await stack.payment.list({ pageSize: 1_000 });
      const acknowledgements = payments
        .filter(({ accountId }) => ends.has(accountId))
        .map(({ paymentId, status }) => ({ paymentId, requestId: "", status: nameOf(status) }));
      await waitUntil(async () => (await openTold(stack)) === 0, { boundMs: 60_000 });
      faults.end();
      await expectBooksBalance(stack);
      const { ok, invariants } = await stack.reporting.audit({ acknowledgements });
      expect([ok, invariants[9]?.checked]).toEqual([true, BigInt(PAYMENTS)]);
      // Among so many every end has come up.
      const seen = new Set(acknowledgements.map(({ status }) => status));
      for (const status of ["FAILED", "CANCELLED"]) expect(seen).toContain(status);
      expect([...seen].some((status) => /SUCCEEDED|REFUNDED/.test(status))).toBe(true);
    },
    TIMEOUT_MS,
  );
});

function nameOf(status: PaymentStatus): string {
  return Object.entries(PaymentStatus).find(([, value]) => value === status)?.[0] ?? "";
}

async function openTold(stack: Stack): Promise<number> {
  const db = await stack.platform.database("payment");
  const refunds = await db.collection("refunds").countDocuments({ status: "PENDING" });
  return refunds + (await db.collection("payments").countDocuments({ final: false }));
}

function describePlan(plan: Plan): string {
  return JSON.stringify(plan, (_, value) => (typeof value === "bigint" ? Number(value) : value));
}
