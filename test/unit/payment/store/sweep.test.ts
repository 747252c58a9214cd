import { afterAll, beforeAll, expect, test } from "vitest";
import { due } from "#kit/mongo/due.ts";
import { paymentBook } from "#services/payment/application/book.ts";
import {
  acceptedPayment,
  openPaymentStore,
  type PaymentStoreOfTest,
} from "#test/unit/payment/builders.ts";

const NOW = new Date("2030-01-01T00:00:00Z");
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
const DEFAULT = { tenant: "default" };

let opened: PaymentStoreOfTest;
beforeAll(async () => {
  opened = await openPaymentStore();
});
afterAll(() => opened[Symbol.asyncDispose]());

function callback(callbackId: string, state: "RECEIVED" | "SIGNALLED", updateTime: Date) {
  return {
    ...DEFAULT,
    callbackId,
    eventId: callbackId,
    paymentId: "p",
    state,
    outcome: "AUTHORIZED",
    gatewayReference: "",
    reason: "",
    ignored: "",
    body: "",
    createTime: NOW,
    updateTime,
  } as const;
}

test("a row that a clock which had jumped put off for a year is due now; one that is put off for an hour is not", async () => {
  const { store } = opened;
  const rows = { past: inDays(-1), soon: inDays(1 / 24), jumped: inDays(365) };
  for (const [paymentId, sweepTime] of Object.entries(rows))
    await store.insertPayment(acceptedPayment({ paymentId, sweepTime }));
  const found = await store.duePayments(NOW, 10);
  expect(found.map(({ paymentId }) => paymentId).sort()).toEqual(["jumped", "past"]);
});

test("rows are put off each to its own time", async () => {
  const { store } = opened;
  const looks = [
    { tenant: "default", id: "past", time: inDays(1 / 24) },
    { tenant: "default", id: "jumped", time: inDays(-2) },
  ];
  await store.postpone("payments", looks);
  expect((await store.duePayments(NOW, 10)).map(({ paymentId }) => paymentId)).toEqual(["jumped"]);
});

test("callbacks that no run was told are told apart from those that one was, also when a clock had jumped", async () => {
  const { store } = opened;
  await store.insertCallback(callback("new", "RECEIVED", inDays(-1)));
  await store.insertCallback(callback("jumped", "RECEIVED", inDays(365)));
  await store.insertCallback(callback("told", "SIGNALLED", inDays(-1)));
  const dueIn = async (state: "RECEIVED" | "SIGNALLED") =>
    (await store.dueCallbacks(state, NOW, 10)).map(({ eventId }) => eventId).sort();
  expect(await dueIn("RECEIVED")).toEqual(["jumped", "new"]);
  expect(await dueIn("SIGNALLED")).toEqual(["told"]);
});

test("finding what is due reads the index of open rows, and none of those that only wait", async () => {
  for (let index = 0; index < 300; index += 1) {
    const paymentId = `waits-${index}`;
    await opened.store.insertPayment(acceptedPayment({ paymentId, sweepTime: inDays(1 / 24) }));
  }
  const plan = await opened.db
    .collection("payments")
    .find({ final: false, ...due("sweepTime", NOW) })
    .sort({ sweepTime: 1 })
    .limit(500)
    .explain("executionStats");
  const { totalDocsExamined, totalKeysExamined } = plan["executionStats"];
  expect(totalDocsExamined).toBeLessThan(5);
  expect(totalKeysExamined).toBeLessThan(10);
});

test("a failure that was found before a cancel was decided does not end the payment as failed", async () => {
  const { store } = opened;
  await store.insertPayment(acceptedPayment({ paymentId: "raced" }));
  const book = paymentBook(
    { store },
    { voidedByProvider: async () => {}, refundedByProvider: async () => {} },
  );
  const ref = { ...DEFAULT, paymentId: "raced" };
  await book.claimPhase(ref, { kind: "UNDOING", reason: "CANCELLED" });
  const stale = { reason: "FRAUD_REJECTED", message: "rejected", retryable: false };
  const after = await book.fail(ref, stale, []);
  expect([after.final, after.phase]).toEqual([false, { kind: "UNDOING", reason: "CANCELLED" }]);
  const ended = await book.fail(ref, { ...stale, reason: "CANCELLED" }, []);
  expect(ended.status).toBe("CANCELLED");
});
