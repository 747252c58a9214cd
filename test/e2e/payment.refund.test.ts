import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode, type Refund, RefundStatus, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  atProvider,
  Behaviour,
  balanceOf,
  countRows,
  endOf,
  failure,
  nameOf,
  noticesOf,
  openAccount,
  PaymentStatus,
  pay,
  read,
  startQuickStack,
  usd,
} from "./payment.support.ts";

let stack: Stack;
/** Payments whose money the provider gave back behind our back: the audit must name exactly these. */
const tampered: string[] = [];
beforeAll(async () => {
  stack = await startQuickStack();
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack, { A7: tampered });
});

/** A settled payment of 100 cents. */
async function settled(behaviour: Behaviour = Behaviour.OK) {
  const accountId = await openAccount(stack, 100n);
  const paymentId = await pay(stack, accountId, behaviour);
  expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
  return { accountId, paymentId };
}

async function refund(paymentId: string, minorUnits?: bigint): Promise<Refund> {
  const amount = minorUnits === undefined ? {} : { amount: usd(minorUnits) };
  const { refund } = await stack.payment.refund({ paymentId, ...amount });
  if (refund === undefined) throw new Error("no refund in the answer");
  return ended(refund);
}

/** The refund's end, also when the provider took longer than the call waited. */
async function ended({ refundId }: Refund): Promise<Refund> {
  return waitUntil(async () => {
    const { refund } = await stack.payment.getRefund({ refundId });
    return refund?.status === RefundStatus.PENDING ? undefined : refund;
  });
}

describe("Refund", () => {
  test("under a used request_id with another reason is refused, so that nobody takes it for a new one", async () => {
    const { paymentId } = await settled();
    const requestId = randomUUID();
    const order = { requestId, paymentId, amount: usd(10n) };
    await stack.payment.refund({ ...order, reason: "damaged" });
    const other = stack.payment.refund({ ...order, reason: "late" });
    expect(await failure(other)).toBe("AlreadyExists REQUEST_ID_REUSED");
  });

  test("of everything gives all back, once, and tells the payer once more", async () => {
    const { accountId, paymentId } = await settled();
    const done = await refund(paymentId);
    expect(done).toMatchObject({ paymentId, status: RefundStatus.SUCCEEDED, amount: usd(100n) });
    expect(done.failure).toBeUndefined();
    expect(await read(stack, paymentId)).toMatchObject({
      status: PaymentStatus.REFUNDED,
      capturedAmount: usd(100n),
      refundedAmount: usd(100n),
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-100");
    const notices = await noticesOf(stack, paymentId, 2);
    expect(notices).toEqual([`${done.refundId}:refunded`, "succeeded"].sort());
  });

  test("in parts adds up, and the last part without an amount is what is left", async () => {
    const { accountId, paymentId } = await settled();
    await refund(paymentId, 30n);
    await refund(paymentId, 25n);
    expect(await read(stack, paymentId)).toMatchObject({
      status: PaymentStatus.PARTIALLY_REFUNDED,
      refundedAmount: usd(55n),
    });
    expect((await refund(paymentId)).amount).toMatchObject(usd(45n));
    expect((await read(stack, paymentId)).status).toBe(PaymentStatus.REFUNDED);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    const { refunds } = await stack.payment.listRefunds({ paymentId });
    expect(refunds.map(({ amount }) => amount?.minorUnits)).toEqual([45n, 25n, 30n]);
    const { timeline } = await read(stack, paymentId);
    expect(timeline.slice(-3).map(({ status }) => nameOf(PaymentStatus, status))).toEqual([
      "PARTIALLY_REFUNDED",
      "PARTIALLY_REFUNDED",
      "REFUNDED",
    ]);
  });

  test("survives a lost answer of the provider without giving anything back twice", async () => {
    const { accountId, paymentId } = await settled(Behaviour.APPLY_THEN_DROP);
    expect((await refund(paymentId, 40n)).status).toBe(RefundStatus.SUCCEEDED);
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-40");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 40n, held: 0n });
  });

  test("answers a repeat of its request_id the same, and another body by name", async () => {
    const { accountId, paymentId } = await settled();
    const request = { paymentId, requestId: randomUUID(), amount: usd(10n), reason: "cold coffee" };
    const first = await stack.payment.refund(request);
    expect(await stack.payment.refund(request)).toEqual(first);
    const other = stack.payment.refund({ ...request, amount: usd(11n) });
    expect(await failure(other)).toBe("AlreadyExists REQUEST_ID_REUSED");
    await waitUntil(async () => (await balanceOf(stack, accountId)).balance === 10n);
    expect(await countRows(stack, "refunds", { paymentId })).toBe(1);
  });

  test.each([
    ["more than was captured", usd(101n), "FailedPrecondition REFUND_EXCEEDS_CAPTURED"],
    ["nothing", usd(0n), "InvalidArgument INVALID_AMOUNT amount.minor_units"],
    ["less than nothing", usd(-5n), "InvalidArgument INVALID_AMOUNT amount.minor_units"],
    [
      "another currency",
      { currencyCode: "EUR", minorUnits: 1n },
      "InvalidArgument CURRENCY_MISMATCH amount.currency_code",
    ],
  ])("of %s is refused, and nothing moves", async (_, amount, expected) => {
    const { accountId, paymentId } = await settled();
    expect(await failure(stack.payment.refund({ paymentId, amount }))).toBe(expected);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
    expect(await countRows(stack, "refunds", { paymentId })).toBe(0);
  });

  test("of what was refunded, failed, cancelled or never settled is refused", async () => {
    const { paymentId } = await settled();
    await refund(paymentId);
    expect(await failure(stack.payment.refund({ paymentId }))).toBe(
      "FailedPrecondition REFUND_EXCEEDS_CAPTURED",
    );
    const accountId = await openAccount(stack, 100n);
    const declined = await pay(stack, accountId, Behaviour.DECLINE);
    await endOf(stack, declined);
    const waiting = await pay(stack, accountId, Behaviour.CALLBACK);
    for (const id of [declined, waiting]) {
      expect(await failure(stack.payment.refund({ paymentId: id }))).toBe(
        "FailedPrecondition NOT_REFUNDABLE",
      );
    }
    expect(await failure(stack.payment.refund({ paymentId: "nobody" }))).toBe(
      "NotFound PAYMENT_NOT_FOUND",
    );
    expect(await endOf(stack, waiting)).toBe("SUCCEEDED");
  });

  test("to a frozen account still arrives: the payer's money is not ours to keep", async () => {
    const { accountId, paymentId } = await settled();
    await stack.account.freezeAccount({ accountId });
    expect((await refund(paymentId)).status).toBe(RefundStatus.SUCCEEDED);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });
});

describe("A refund that the payer's account cannot take", () => {
  test("waits in suspense for a person, and the books still balance", async () => {
    const amount = { currencyCode: "XTS", minorUnits: 100n };
    // The demo account that holds the largest int64: filled up again, it has no room for the refund.
    const paymentId = await pay(stack, "4", Behaviour.OK, { amount });
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    const counterAccountId = "suspense:XTS";
    await stack.account.credit({ transactionId: "fill", accountId: "4", amount, counterAccountId });
    const before = (await balanceOf(stack, counterAccountId)).balance ?? 0n;
    expect((await refund(paymentId)).status).toBe(RefundStatus.SUCCEEDED);
    expect((await balanceOf(stack, counterAccountId)).balance).toBe(before + 100n);
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-100");
    expect(await countRows(stack, "tasks", { paymentId, kind: "REFUND_SUSPENSE" })).toBe(1);
  });
});

describe("A refund of a payment that suspense paid, since its hold was gone", () => {
  test("goes back to suspense: the payer paid nothing, and gets nothing", async () => {
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId, Behaviour.OK, {
      captureMode: CaptureMode.MANUAL,
      waitUntil: WaitUntil.AUTHORIZED,
    });
    await waitUntil(
      async () => (await read(stack, paymentId)).status === PaymentStatus.REQUIRES_CAPTURE,
    );
    await stack.account.releaseHold({ holdId: `${paymentId}:hold` });
    await stack.payment.capture({ paymentId });
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    const suspense = async () => (await balanceOf(stack, "suspense:USD")).balance ?? 0n;
    const before = await suspense();
    expect((await refund(paymentId)).status).toBe(RefundStatus.SUCCEEDED);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await suspense()).toBe(before + 100n);
  });
});

describe("50 parallel refunds", () => {
  test("of 3 cents each give back at most what was captured, and the books are exact", async () => {
    const { accountId, paymentId } = await settled();
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, () => stack.payment.refund({ paymentId, amount: usd(3n) })),
    );
    const taken = answers.filter((answer) => answer.status === "fulfilled");
    const refused = answers.filter((answer) => answer.status === "rejected");
    const reasons = await Promise.all(refused.map(({ reason }) => failure(Promise.reject(reason))));
    expect(new Set(reasons)).toEqual(new Set(["FailedPrecondition REFUND_EXCEEDS_CAPTURED"]));
    expect(taken).toHaveLength(33);
    await waitUntil(async () => (await read(stack, paymentId)).refundedAmount?.minorUnits === 99n, {
      what: "the end of 33 refunds",
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 99n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-99");
    expect((await refund(paymentId)).amount).toMatchObject(usd(1n));
    expect((await read(stack, paymentId)).status).toBe(PaymentStatus.REFUNDED);
  });
});

describe("A refund the provider declines", () => {
  test("fails with its reason, moves nothing and frees its reservation", async () => {
    const { accountId, paymentId } = await settled();
    tampered.push(paymentId);
    const authorizationKey = `${paymentId}:authorize`;
    const amount = usd(60n);
    await stack.gateway.refund({ idempotencyKey: `${paymentId}:hand`, authorizationKey, amount });
    const declined = await refund(paymentId, 50n);
    expect(declined).toMatchObject({
      status: RefundStatus.FAILED,
      failure: { reason: "REFUND_EXCEEDS_CAPTURED", retryable: false },
    });
    expect(await read(stack, paymentId)).toMatchObject({
      status: PaymentStatus.SUCCEEDED,
      refundedAmount: usd(0n),
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
    // The reservation is free again: what the provider still has can be given back.
    expect((await refund(paymentId, 40n)).status).toBe(RefundStatus.SUCCEEDED);
    expect(await noticesOf(stack, paymentId, 2)).toHaveLength(2);
  });
});

describe("GetRefund and ListRefunds", () => {
  test("page through a payment's refunds, newest first", async () => {
    const { paymentId } = await settled();
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.unshift((await refund(paymentId, 1n)).refundId);
    const first = await stack.payment.listRefunds({ paymentId, pageSize: 3 });
    const { nextPageToken: pageToken } = first;
    const second = await stack.payment.listRefunds({ paymentId, pageSize: 3, pageToken });
    const listed = [...first.refunds, ...second.refunds].map(({ refundId }) => refundId);
    expect(listed).toEqual(ids);
    expect(second.nextPageToken).toBe("");
    const foreign = stack.payment.list({ pageToken });
    expect(await failure(foreign)).toBe("InvalidArgument INVALID_PAGE_TOKEN page_token");
  });

  test("tell what is not there by name", async () => {
    expect(await failure(stack.payment.getRefund({ refundId: "nobody" }))).toBe(
      "NotFound REFUND_NOT_FOUND",
    );
    expect(await failure(stack.payment.listRefunds({ paymentId: "nobody" }))).toBe(
      "NotFound PAYMENT_NOT_FOUND",
    );
  });
});
