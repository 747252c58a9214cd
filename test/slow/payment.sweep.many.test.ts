import { afterAll, beforeAll, expect, test } from "vitest";
import { createLog } from "#kit/log.ts";
import type { PaymentDeps } from "#services/payment/application/deps.ts";
import { sweep } from "#services/payment/application/sweep.ts";
import { DEFAULT_POLICY } from "#services/payment/domain/policy.ts";
import { paymentRows } from "#services/payment/store/payments.ts";
import {
  acceptedPayment,
  openPaymentStore,
  type PaymentStoreOfTest,
} from "#test/unit/payment/builders.ts";

const WAITING = 100_000;
const CHUNK = 10_000;
const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 10 * 60_000;

let opened: PaymentStoreOfTest;
beforeAll(async () => {
  opened = await openPaymentStore();
}, TIMEOUT_MS);
afterAll(() => opened[Symbol.asyncDispose]());

/** Fills the rows: so many that wait for their capture, and one whose run is gone. */
async function fill(sweepTimeOf: (index: number) => Date, lostSweepTime: Date): Promise<void> {
  const rows = paymentRows(opened.db);
  await rows.deleteMany({});
  for (let from = 0; from < WAITING; from += CHUNK) {
    const documents = Array.from({ length: CHUNK }, (_, offset) => waiting(from + offset));
    await rows.insertMany(
      documents.map((row, offset) => ({ ...row, sweepTime: sweepTimeOf(from + offset) })),
      { ordered: false, writeConcern: { w: 1 } },
    );
  }
  const { tenant, paymentId, ...lost } = acceptedPayment({ paymentId: "lost" });
  await rows.insertOne({ _id: { tenant, id: paymentId }, ...lost, sweepTime: lostSweepTime });
}

function waiting(index: number) {
  // Between a minute and seven days ago.
  const since = new Date(Date.now() - 60_000 - Math.floor((index / WAITING) * 7 * 24 * HOUR_MS));
  const { tenant, paymentId, ...row } = acceptedPayment({
    paymentId: `waits-${index}`,
    status: "REQUIRES_CAPTURE",
    step: "CAPTURE",
    captureStartTime: since,
    updateTime: since,
  });
  return { _id: { tenant, id: paymentId }, ...row };
}

/** One sweep over a Temporal that has a run for every payment but the lost one. Answers whom it was asked about, in order. */
async function sweepOnce(
  away = false,
): Promise<{ readonly asked: string[]; readonly started: number }> {
  const asked: string[] = [];
  const unused = () => Promise.reject(new Error("not called"));
  const deps: PaymentDeps = {
    store: opened.store,
    feed: { listen: unused, [Symbol.asyncDispose]: async () => undefined } as never,
    workflows: {
      startPayment: async ({ paymentId }) => {
        asked.push(paymentId);
        if (away) throw new Error("Temporal is away");
        return paymentId === "lost" ? { started: true, runId: "r" } : { started: false };
      },
      startRefund: unused,
      startReconcile: unused,
      signalCancel: unused,
      signalCallback: unused,
      cancel: unused,
      capture: unused,
    },
    peers: { accountOf: unused, accountsOf: unused, currencyOf: unused, sendNotice: unused },
    policy: DEFAULT_POLICY,
    gatewaySecrets: new Map(),
    sweepAfterMs: 10_000,
    watchHeartbeatMs: 15_000,
    log: createLog("silent"),
  };
  const report = await sweep(deps, { everything: false });
  expect(report.errors.length > 0).toBe(away);
  return { asked, started: report.startedWorkflows };
}

test(
  "a lost payment among a hundred thousand that wait is started by the first sweep, which looks at few others",
  async () => {
    // As they are looked at in the long run: once an hour each.
    const now = Date.now();
    await fill((index) => new Date(now + (index / WAITING) * HOUR_MS), new Date(now));
    const { asked, started } = await sweepOnce();
    expect(started).toBe(1);
    expect(asked).toContain("lost");
    expect(asked.length).toBeLessThan(2_000);
  },
  TIMEOUT_MS,
);

test(
  "after an outage, when all hundred thousand are due before it, one sweep comes to it, and the next has nothing to do",
  async () => {
    const now = Date.now();
    await fill((index) => new Date(now - HOUR_MS + index), new Date(now - 1));
    const { asked, started } = await sweepOnce();
    expect([started, asked.length]).toEqual([1, WAITING + 1]);
    expect(asked.at(-1)).toBe("lost");
    const { asked: again } = await sweepOnce();
    expect(again.length).toBeLessThan(2_000);
  },
  TIMEOUT_MS,
);

test(
  "while Temporal is away a sweep tries one batch and goes on to what else there is to do",
  async () => {
    const now = Date.now();
    await fill((index) => new Date(now - HOUR_MS + index), new Date(now - 1));
    const { asked } = await sweepOnce(true);
    expect(asked).toHaveLength(500);
  },
  TIMEOUT_MS,
);
