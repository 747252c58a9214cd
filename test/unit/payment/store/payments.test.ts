import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "#kit/mongo/migrate.ts";
import { paymentMigrations } from "#services/payment/store/migrations.ts";
import {
  acceptedPayment,
  openPaymentStore,
  type PaymentStoreOfTest,
} from "#test/unit/payment/builders.ts";

const SUBJECTS = "012-request-ids-by-subject";
const DEFAULT = { tenant: "default" };
let opened: PaymentStoreOfTest;

beforeAll(async () => {
  opened = await openPaymentStore();
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Stores a payment of its own for a test. */
async function stored(paymentId: string): Promise<string> {
  expect((await opened.store.insertPayment(acceptedPayment({ paymentId }))).inserted).toBe(true);
  return paymentId;
}

const succeeded = {
  status: "SUCCEEDED",
  message: "settled",
  failure: null,
  capturedAmount: 100n,
  notify: "succeeded",
  from: { "phase.kind": "CAPTURING" },
} as const;

const undone = {
  status: "FAILED",
  message: "undone",
  failure: { reason: "GATEWAY_TIMEOUT", message: "too late", retryable: true },
  capturedAmount: 0n,
  notify: "failed",
  from: {},
} as const;

test("a repeated request id finds its own tenant's payment, not that of a tenant who used it first", async () => {
  const { store } = opened;
  const requestId = "invoice-1";
  for (const tenant of ["first", "second"]) {
    const payment = acceptedPayment({ tenant, paymentId: `of-${tenant}`, requestId });
    expect((await store.insertPayment(payment)).inserted).toBe(true);
  }
  for (const tenant of ["second", "first"]) {
    const repeat = acceptedPayment({ tenant, paymentId: `again-${tenant}`, requestId });
    const { inserted, payment } = await store.insertPayment(repeat);
    expect({ inserted, tenant: payment.tenant, paymentId: payment.paymentId }).toEqual({
      inserted: false,
      tenant,
      paymentId: `of-${tenant}`,
    });
  }
});

test("a request id belongs to its subject: another's use of it makes another payment", async () => {
  const { store } = opened;
  const requestId = "invoice-2";
  for (const subject of ["till", "thief"]) {
    const payment = acceptedPayment({ subject, paymentId: `of-${subject}`, requestId });
    expect((await store.insertPayment(payment)).inserted).toBe(true);
  }
  const repeat = acceptedPayment({ subject: "till", paymentId: "again", requestId });
  expect((await store.insertPayment(repeat)).payment.paymentId).toBe("of-till");
});

test("a payment from before subjects were kept is found by whoever repeats its request id, and not made twice", async () => {
  await using older = await openPaymentStore();
  const { tenant, subject, paymentId, ...row } = acceptedPayment({ paymentId: "old" });
  const payments = older.db.collection<{ _id: object }>("payments");
  await payments.insertOne({ ...row, _id: { tenant, id: paymentId } });
  // As the database was before the step: this instance starts on it, and another one beside it.
  await older.db.collection<{ _id: string }>("migrations").deleteOne({ _id: SUBJECTS });
  await payments.createIndex({ "_id.tenant": 1, requestId: 1 }, { name: "request", unique: true });
  await Promise.all([1, 2].map(() => migrate(older.db, paymentMigrations)));
  for (const each of [subject, "another"]) {
    const repeat = acceptedPayment({ ...row, subject: each, paymentId: `again-${each}` });
    const { inserted, payment } = await older.store.insertPayment(repeat);
    expect({ inserted, paymentId: payment.paymentId }).toEqual({ inserted: false, paymentId });
  }
});

test("the first phase stands whatever is proposed later, so that nothing is both taken and undone", async () => {
  const { store } = opened;
  const capturing = { kind: "CAPTURING", amount: 40n, requestId: "c1" } as const;
  const undoing = { kind: "UNDOING", reason: "CANCELLED" } as const;
  const one = await stored("capturing-first");
  expect((await store.claimPhase(DEFAULT, one, capturing))?.phase).toEqual(capturing);
  expect((await store.claimPhase(DEFAULT, one, undoing))?.phase).toEqual(capturing);
  const more = { ...capturing, amount: 100n, requestId: "c2" };
  expect((await store.claimPhase(DEFAULT, one, more))?.phase).toEqual(capturing);
  const other = await stored("undoing-first");
  expect((await store.claimPhase(DEFAULT, other, undoing))?.phase).toEqual(undoing);
  expect((await store.claimPhase(DEFAULT, other, capturing))?.phase).toEqual(undoing);
});

test("a park that comes after the decision changes nothing, so that the phase and its status stay in sight", async () => {
  const { store } = opened;
  const paymentId = await stored("late-park");
  const decided = await store.claimPhase(DEFAULT, paymentId, {
    kind: "UNDOING",
    reason: "CANCELLED",
  });
  const parked = await store.parkPayment(DEFAULT, paymentId, {
    status: "REQUIRES_CAPTURE",
    step: "CAPTURE",
    message: "waits for Capture",
  });
  expect(parked).toEqual(decided);
  expect(await store.findPayment(DEFAULT, paymentId)).toEqual(decided);
});

test("the end of a payment is written once: a second end finds the first and adds nothing to the row", async () => {
  const { store } = opened;
  const paymentId = await stored("ends-once");
  await store.claimPhase(DEFAULT, paymentId, { kind: "CAPTURING", amount: 100n, requestId: "" });
  const first = await store.finishPayment(DEFAULT, paymentId, succeeded);
  expect(first).toMatchObject({ status: "SUCCEEDED", final: true, capturedAmount: 100n });
  expect(await store.finishPayment(DEFAULT, paymentId, succeeded)).toEqual(first);
  expect(await store.finishPayment(DEFAULT, paymentId, undone)).toEqual(first);
  expect(await store.findPayment(DEFAULT, paymentId)).toEqual(first);
  expect(first?.timeline.filter(({ step }) => step === "DONE")).toHaveLength(1);
});

test("the sweeper finds what is due in every phase, and nothing that is final", async () => {
  const { store } = opened;
  const open = await stored("sweep-open");
  const capturing = await stored("sweep-capturing");
  const undoing = await stored("sweep-undoing");
  const ended = await stored("sweep-ended");
  await store.claimPhase(DEFAULT, capturing, { kind: "CAPTURING", amount: 100n, requestId: "" });
  await store.claimPhase(DEFAULT, undoing, { kind: "UNDOING", reason: "GATEWAY_TIMEOUT" });
  await store.finishPayment(DEFAULT, ended, undone);
  const due = await store.duePayments(new Date("2030-01-01T00:00:01Z"), 1_000);
  const ids = due.map(({ paymentId }) => paymentId);
  expect(ids).toEqual(expect.arrayContaining([open, capturing, undoing]));
  expect(ids).not.toContain(ended);
});

test("a payment that parks again and again keeps its beginning and its end, and not every stop between", async () => {
  const { store } = opened;
  const paymentId = await stored("restless");
  const park = { status: "PROCESSING", step: "AWAIT_CALLBACK", message: "waits" } as const;
  for (let index = 0; index < 80; index += 1) await store.parkPayment(DEFAULT, paymentId, park);
  await store.claimPhase(DEFAULT, paymentId, { kind: "CAPTURING", amount: 100n, requestId: "" });
  const ended = await store.finishPayment(DEFAULT, paymentId, succeeded);
  const messages = ended?.timeline.map(({ message }) => message) ?? [];
  expect(messages).toHaveLength(51);
  expect([messages[0], messages.at(-1)]).toEqual(["accepted", "settled"]);
});
