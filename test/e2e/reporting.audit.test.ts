import type { Document } from "mongodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { InvariantResult, ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { key } from "#kit/mongo/key.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { booksOf, notice, transfer } from "./reporting.books.ts";
import { FINAL_STORIES, OPEN_STORIES, STORIES, type Story } from "./reporting.stories.ts";
import { type AuditStand, broken, type Place, startAuditStand } from "./reporting.support.ts";

let stand: AuditStand;

beforeAll(async () => {
  stand = await startAuditStand();
});
afterAll(() => stand[Symbol.asyncDispose]());
beforeEach(() => stand.fill(booksOf(STORIES)));

async function insert(place: Place, ...documents: Document[]): Promise<void> {
  await (await stand.collection(place)).insertMany(documents, { bypassDocumentValidation: true });
}

async function remove(place: Place, id: string): Promise<void> {
  const { deletedCount } = await (await stand.collection(place)).deleteOne({ "_id.id": id });
  if (deletedCount !== 1) throw new Error(`no ${id} in ${place}`);
}

function cancelled(id: string): Story {
  const undone = { status: "CANCELLED", phase: "UNDOING", failure: "CANCELLED" } as const;
  return { id, amount: 1n, ...undone, hold: "RELEASED", gateway: "VOIDED", check: "PASS" };
}

const set = (fields: Document): Document => ({ $set: fields });
const add = (fields: Document): Document => ({ $inc: fields });

describe("clean books", () => {
  test("are found clean with every kind of payment in them, so that a violation means something", async () => {
    const response = await stand.audit();
    expect(broken(response)).toEqual({});
    expect(response.ok).toBe(true);
    expect(response.finalPayments).toBe(BigInt(FINAL_STORIES));
    expect(response.openPayments).toBe(BigInt(OPEN_STORIES));
    const transfers = booksOf(STORIES).get("account.transfers")?.length ?? 0;
    expect(response.transfers).toBe(BigInt(transfers));
  });

  test("are reported as A1 to A11 in order, A10 as not checked without acknowledgements", async () => {
    const { invariants } = await stand.audit();
    expect(invariants.map(({ id }) => id)).toEqual([...Array(11).keys()].map((n) => `A${n + 1}`));
    const unchecked = invariants.filter(({ result }) => result !== InvariantResult.OK);
    expect(unchecked.map(({ id }) => id)).toEqual(["A10"]);
    expect(invariants.filter(({ checked }) => checked > 0n)).toHaveLength(10);
  });

  test("of another tenant are not looked into, so that no tenant sees another's ids", async () => {
    const foreign = transfer("foreign", "nobody", "provider:mock:USD", 1n);
    await insert("account.transfers", { ...foreign, _id: key({ tenant: "other" }, "foreign") });
    expect(broken(await stand.audit())).toEqual({});
  });

  test("may be empty: a first start has nothing to prove", async () => {
    await stand.fill(booksOf([]));
    const response = await stand.audit();
    expect(response).toMatchObject({ ok: true, finalPayments: 0n, openPayments: 0n });
  });
});

describe("ledger", () => {
  test("A1 names the currency and the account when a posting goes to an account that is not there", async () => {
    await remove("account.accounts", "external:funding:USD");
    expect(broken(await stand.audit())).toEqual({ A1: ["USD", "external:funding:USD"] });
  });

  test("A2 names both accounts when one cent wandered from one balance to another", async () => {
    await stand.change("account.accounts", "alice", add({ balance: -1n }));
    await stand.change("account.accounts", "suspense:USD", add({ balance: 1n }));
    expect(broken(await stand.audit())).toEqual({ A2: ["alice", "suspense:USD"] });
  });

  test("A1 and A2 are broken when one cent was made of nothing", async () => {
    await stand.change("account.accounts", "alice", add({ balance: 1n }));
    expect(broken(await stand.audit())).toEqual({ A1: ["USD"], A2: ["alice"] });
  });

  test("A2 names the account whose held amount is not the sum of its holds", async () => {
    await stand.change("account.accounts", "alice", add({ held: 1n }));
    expect(broken(await stand.audit())).toEqual({ A2: ["alice"] });
  });

  test("A3 names the account that holds more than it has", async () => {
    await stand.change("account.holds", "p07:hold", set({ amount: 10_000n }));
    await stand.change("account.accounts", "alice", set({ held: 10_000n }));
    expect(broken(await stand.audit())).toEqual({ A3: ["alice"] });
  });

  test("A6 names the payment without its posting, and the posting without a payment", async () => {
    const rows = booksOf(STORIES).get("account.transfers") ?? [];
    const capture = rows.find((row) => row["_id"].id === "p01:capture");
    await remove("account.transfers", "p01:capture");
    await insert("account.transfers", { ...capture, _id: key({ tenant: "default" }, "random-id") });
    expect(broken(await stand.audit())).toEqual({ A6: ["p01", "random-id"] });
  });

  test("A6 leaves alone what goes between the provider and the bank, and what takes it back", async () => {
    await insert(
      "account.transfers",
      transfer("payout", "provider:mock:USD", "external:funding:USD", 5n),
    );
    await insert("account.transfers", {
      ...transfer("payout:reversal", "external:funding:USD", "provider:mock:USD", 5n),
      reverses: "payout",
    });
    expect(broken(await stand.audit())).toEqual({});
  });

  test("A6 names the cancelled payment whose money was taken all the same", async () => {
    await stand.change("account.transfers", "top-up", add({ amount: 80n }));
    await insert("account.transfers", transfer("p05:capture", "alice", "provider:mock:USD", 80n));
    await stand.change("account.accounts", "external:funding:USD", add({ balance: -80n }));
    await stand.change("account.accounts", "provider:mock:USD", add({ balance: 80n }));
    expect(broken(await stand.audit())).toEqual({ A6: ["p05"] });
  });

  test("A6 names the payment whose refund was posted one cent short", async () => {
    await stand.change("account.transfers", "r1:refund", add({ amount: -1n }));
    await stand.change("account.transfers", "r3:refund", add({ amount: 1n }));
    expect(broken(await stand.audit())).toEqual({ A6: ["p02", "p10"] });
  });

  test("A9 names the hold that a cancelled payment left behind", async () => {
    await stand.change("account.holds", "p05:hold", set({ state: "HELD" }));
    await stand.change("account.accounts", "alice", add({ held: 80n }));
    expect(broken(await stand.audit())).toEqual({ A9: ["p05:hold"] });
  });

  test("A9 names the hold towards the provider that belongs to no payment", async () => {
    const rows = booksOf(STORIES).get("account.holds") ?? [];
    const hold = rows.find((row) => row["_id"].id === "p07:hold");
    await insert("account.holds", { ...hold, _id: key({ tenant: "default" }, "random-id") });
    await stand.change("account.accounts", "alice", add({ held: 300n }));
    expect(broken(await stand.audit())).toEqual({ A9: ["random-id"] });
  });

  test("leaves the holds of other users of the ledger in peace", async () => {
    const rows = booksOf(STORIES).get("account.holds") ?? [];
    const hold = rows.find((row) => row["_id"].id === "p07:hold");
    const _id = key({ tenant: "default" }, "my-own-hold");
    await insert("account.holds", { ...hold, _id, destinationAccountId: "suspense:USD" });
    await stand.change("account.accounts", "alice", add({ held: 300n }));
    expect(broken(await stand.audit())).toEqual({});
  });

  test("A9 names the failed payment that still weighs on its payer's fraud tally", async () => {
    await stand.change("fraud.checks", "p04:fraud-check", set({ tallied: 70n }));
    await stand.change("fraud.tallies", "alice:USD", { $inc: { amount: 70n } });
    expect(broken(await stand.audit())).toEqual({ A9: ["p04"] });
  });
});

describe("payments", () => {
  test("A4 names the request id that made two payments", async () => {
    const payments = await stand.collection("payment.payments");
    await payments.dropIndex("subject-request");
    try {
      await stand.change("payment.payments", "p04", set({ requestId: "request-p05" }));
      expect(broken(await stand.audit())).toEqual({ A4: ["request-p05"] });
    } finally {
      await stand.fill(booksOf(STORIES));
      await payments.createIndex(
        { "_id.tenant": 1, subject: 1, requestId: 1 },
        { name: "subject-request", unique: true },
      );
    }
  });

  test.each([
    ["says that it is over but is not final", "p01", { final: false }],
    ["is final but still processing", "p05", { status: "PROCESSING" }],
    [
      "settled although it was being undone",
      "p01",
      { phase: { kind: "UNDOING", reason: "CANCELLED" } },
    ],
    ["took another amount than was decided", "p01", { "phase.amount": 999n }],
    [
      "was cancelled although its money was being taken",
      "p05",
      { phase: { kind: "CAPTURING", amount: 80n, requestId: "" } },
    ],
    ["says that it was given back in full but was not", "p02", { status: "REFUNDED" }],
  ])("A5 names the payment that %s", async (_, id, fields) => {
    await stand.change("payment.payments", id, set(fields));
    expect((await stand.audit()).invariants[4]).toMatchObject({
      result: InvariantResult.BROKEN,
      violationCount: 1n,
      violations: [{ id }],
    });
  });

  test("A5 alone is broken by a phase that contradicts the end", async () => {
    await stand.change("payment.payments", "p01", set({ "phase.amount": 999n }));
    expect(broken(await stand.audit())).toEqual({ A5: ["p01"] });
  });

  test("A5 names the payment that settled although fraud said no", async () => {
    await stand.change("fraud.checks", "p01:fraud-check", set({ decision: "FAIL" }));
    expect(broken(await stand.audit())).toEqual({ A5: ["p01"] });
  });

  test.each([
    ["was never told", () => remove("notification.notifications", "p01:succeeded")],
    [
      "was told as something else",
      () =>
        stand.change(
          "notification.notifications",
          "p01:succeeded",
          set({ template: "PAYMENT_FAILED" }),
        ),
    ],
    [
      "was told twice under two ids",
      () => insert("notification.notifications", notice("random", "p01", "PAYMENT_SUCCEEDED")),
    ],
    [
      "was told an end that it did not have",
      () => insert("notification.notifications", notice("p01:failed", "p01", "PAYMENT_FAILED")),
    ],
  ])("A8 names the payment whose payer %s", async (_, plant) => {
    await plant();
    expect(broken(await stand.audit())).toEqual({ A8: ["p01"] });
  });

  test("A8 does not judge messages about payments that nobody has", async () => {
    await insert("notification.notifications", notice("one", "nobody", "PAYMENT_SUCCEEDED"));
    await insert("notification.notifications", notice("two", "nobody", "PAYMENT_FAILED"));
    expect(broken(await stand.audit())).toEqual({});
  });

  test("A8 names the payment whose refund was never told", async () => {
    await remove("notification.notifications", "r1:refunded");
    expect(broken(await stand.audit())).toEqual({ A8: ["p02"] });
  });

  test("A11 names the payment that reserves for a refund that is not there", async () => {
    await stand.change("payment.payments", "p01", set({ reservedAmount: 1n }));
    expect(broken(await stand.audit())).toEqual({ A11: ["p01"] });
  });

  test("A11 names the payment whose refunds do not add up, open or not", async () => {
    await stand.change("payment.refunds", "r4", set({ amount: 41n }));
    await stand.change("payment.payments", "p13", set({ reservedAmount: 41n }));
    expect(broken(await stand.audit())).toEqual({ A11: ["p13"] });
  });
});

describe("the provider's book", () => {
  test.each([
    ["took one cent less", "p01", add({ capturedMinor: -1n })],
    ["gave one cent more back", "p02", add({ refundedMinor: 1n })],
    ["gave it back without a refund of ours", "p01", set({ refundedMinor: 1_000n })],
    ["only authorised it", "p01", set({ state: "AUTHORIZED", capturedMinor: 0n })],
    ["kept what a failed payment must not keep", "p06", set({ refundedMinor: 89n })],
    ["still holds a cancelled payment", "p05", set({ state: "AUTHORIZED" })],
  ])("A7 names the payment when the provider %s", async (_, id, update) => {
    await stand.change("gateway.transactions", `${id}:authorize`, update);
    expect(broken(await stand.audit())).toEqual({ A7: [id] });
  });

  test("A7 names the settled payment that the provider does not know", async () => {
    await remove("gateway.transactions", "p01:authorize");
    expect(broken(await stand.audit())).toEqual({ A7: ["p01"] });
  });

  test("A7 names a second authorisation of one payment, under a key of its own", async () => {
    const money = { currencyCode: "USD", minorUnits: 1_000n };
    const idempotencyKey = "random-attempt-2";
    await stand.gateway().authorize({ idempotencyKey, merchantReference: "p01", amount: money });
    expect(broken(await stand.audit())).toEqual({ A7: [idempotencyKey] });
  });

  test("A7 names an authorisation for a payment that does not exist", async () => {
    const money = { currencyCode: "USD", minorUnits: 1n };
    await stand
      .gateway()
      .authorize({ idempotencyKey: "p99:authorize", merchantReference: "p99", amount: money });
    expect(broken(await stand.audit())).toEqual({ A7: ["p99:authorize"] });
  });

  test("a late authorisation is still on its way, so it is no disagreement yet", async () => {
    await stand.change(
      "gateway.transactions",
      "p05:authorize",
      set({ state: "AUTHORIZED", updateTime: new Date() }),
    );
    expect(broken(await stand.audit())).toEqual({});
  });

  test("more payments than one batch and one page are all compared", async () => {
    const many = Array.from({ length: 1_203 }, (_, index) => cancelled(`q${index}`));
    await stand.fill(booksOf([...STORIES, ...many]));
    await stand.change(
      "gateway.transactions",
      "q1200:authorize",
      set({ state: "CAPTURED", capturedMinor: 1n }),
    );
    const response = await stand.audit();
    expect(broken(response)).toEqual({ A7: ["q1200"] });
    expect(response.finalPayments).toBe(BigInt(FINAL_STORIES + many.length));
  });
});

test("an audit that could not read the provider's book is an error, never a clean one", async () => {
  await using blind = await stand.startReporting({ SETTLE_URL_GATEWAY: "http://127.0.0.1:9" });
  const call = createPeer(ReportingService, `http://${blind.address}`).audit({});
  const error = await call.catch((reason: unknown) => reason);
  expect(reasonOf(error)).toBe("GATEWAY_UNAVAILABLE");
});

describe("acknowledgements", () => {
  const ack = (paymentId: string, status: string, requestId = "") => ({
    requestId,
    paymentId,
    status,
  });

  test("A10 is clean when every answer still holds, refunds after it included", async () => {
    const response = await stand.audit([
      ack("p01", "SUCCEEDED", "request-p01"),
      ack("p02", "SUCCEEDED"),
      ack("p10", "PAYMENT_STATUS_PARTIALLY_REFUNDED"),
      ack("p05", "CANCELLED"),
      ack("p07", "PENDING"),
    ]);
    expect(response.invariants[9]).toMatchObject({ result: InvariantResult.OK, checked: 5n });
    expect(response.ok).toBe(true);
  });

  test.each([
    ["a payment that is not there", ack("gone", "")],
    ["a final status that was taken back", ack("p05", "SUCCEEDED")],
    ["a refund that was taken back", ack("p01", "REFUNDED")],
    ["a payment of another request", ack("p01", "SUCCEEDED", "request-p02")],
    ["a status that does not exist", ack("p01", "DONE")],
  ])("A10 names %s", async (_, told) => {
    const response = await stand.audit([told, ack("p02", "SUCCEEDED")]);
    expect(broken(response)).toEqual({ A10: [told.paymentId] });
    expect(response.ok).toBe(false);
  });
});
