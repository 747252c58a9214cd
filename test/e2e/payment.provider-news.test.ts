import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { run } from "#test/unit/cli/run.ts";
import {
  atProvider,
  Behaviour,
  balanceOf,
  callBack,
  countRows,
  endOf,
  noticesOf,
  openAccount,
  PaymentStatus,
  pay,
  read,
  startQuickStack,
  until,
  usd,
} from "./payment.support.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startQuickStack();
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

async function settled() {
  const accountId = await openAccount(stack, 100n);
  const paymentId = await pay(stack, accountId, Behaviour.OK);
  expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
  return { accountId, paymentId };
}

/** Somebody clicks "refund" in the provider's console. */
async function refundThere(paymentId: string, minorUnits: bigint) {
  const idempotencyKey = `console-${randomUUID()}`;
  const authorizationKey = `${paymentId}:authorize`;
  await stack.gateway.refund({
    ...{ idempotencyKey, authorizationKey, byProvider: true },
    amount: usd(minorUnits),
  });
}

async function bookedThere(paymentId: string, count: number) {
  return waitUntil(async () => {
    const { refunds } = await stack.payment.listRefunds({ paymentId });
    return refunds.length === count && refunds.every(({ status }) => status === 2) && refunds;
  });
}

describe("a refund made at the provider", () => {
  test("is booked once by its callback: ledger, payment, refund and message say what happened", async () => {
    const { accountId, paymentId } = await settled();
    await refundThere(paymentId, 30n);
    const [refund] = await bookedThere(paymentId, 1);
    expect(refund).toMatchObject({ byProvider: true, amount: usd(30n) });
    expect(await read(stack, paymentId)).toMatchObject({
      status: PaymentStatus.PARTIALLY_REFUNDED,
      refundedAmount: usd(30n),
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 30n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-30");
    expect(await noticesOf(stack, paymentId, 2)).toEqual(
      [`${refund?.refundId}:refunded`, "succeeded"].sort(),
    );
  });

  test("and one made here add up, and a repeated callback books nothing more", async () => {
    const { accountId, paymentId } = await settled();
    await refundThere(paymentId, 30n);
    await bookedThere(paymentId, 1);
    await stack.payment.refund({ paymentId, amount: usd(20n) });
    await refundThere(paymentId, 50n);
    await bookedThere(paymentId, 3);
    expect(await callBack(stack, paymentId, { state: "REFUNDED", minorUnits: "50" })).toBe(200);
    await waitUntil(
      async () => (await countRows(stack, "callbacks", { paymentId, state: "DONE" })) === 3,
    );
    expect((await read(stack, paymentId)).status).toBe(PaymentStatus.REFUNDED);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await countRows(stack, "refunds", { paymentId })).toBe(3);
  });

  test("that nobody was told of is a line of the audit until a reconcile books it", async () => {
    const { accountId, paymentId } = await settled();
    const db = await stack.platform.database("gateway");
    await db.collection("transactions").updateOne(
      { "_id.id": `${paymentId}:authorize` },
      {
        $set: { refundedMinor: 40n, providerRefunds: [{ key: "chargeback-1", minorUnits: 40n }] },
        $inc: { version: 1n },
      },
    );
    await expectBooksBalance(stack, { A7: [paymentId] });
    const options = ["--address", stack.addresses.payment];
    const started = await run([...options, "payment", "reconcile", paymentId]);
    expect(started).toMatchObject({ exitCode: 0, out: expect.stringContaining(paymentId) });
    await bookedThere(paymentId, 1);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 40n, held: 0n });
    await expectBooksBalance(stack);
  });
});

describe("a void made at the provider", () => {
  async function authorized() {
    const accountId = await openAccount(stack, 100n);
    const changes = { captureMode: CaptureMode.MANUAL };
    const paymentId = await pay(stack, accountId, Behaviour.OK, changes);
    await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
    return { accountId, paymentId };
  }

  async function voidThere(paymentId: string): Promise<void> {
    const authorizationKey = `${paymentId}:authorize`;
    const idempotencyKey = `console-${randomUUID()}`;
    await stack.gateway.void({ idempotencyKey, authorizationKey, byProvider: true });
  }

  test("undoes the payment that waits for its capture, and the payer is told", async () => {
    const { accountId, paymentId } = await authorized();
    await voidThere(paymentId);
    expect(await endOf(stack, paymentId)).toBe("FAILED GATEWAY_VOIDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await noticesOf(stack, paymentId)).toEqual(["failed"]);
  });

  test("whose callback is lost is found by a reconcile", async () => {
    const { accountId, paymentId } = await authorized();
    const db = await stack.platform.database("gateway");
    await db
      .collection("transactions")
      .updateOne({ "_id.id": `${paymentId}:authorize` }, { $set: { state: "VOIDED" } });
    await stack.payment.reconcile({ paymentId });
    expect(await endOf(stack, paymentId)).toBe("FAILED GATEWAY_VOIDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });

  test("of a payment that has ended changes nothing", async () => {
    const { accountId, paymentId } = await settled();
    await voidThere(paymentId);
    expect(await callBack(stack, paymentId, { state: "VOIDED" })).toBe(200);
    await waitUntil(
      async () => (await countRows(stack, "callbacks", { paymentId, state: "DONE" })) === 1,
    );
    expect((await read(stack, paymentId)).status).toBe(PaymentStatus.SUCCEEDED);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
  });
});

test("a callback about a void of a payment that waits, while the provider still holds the money, is believed by nobody", async () => {
  const accountId = await openAccount(stack, 100n);
  const changes = { captureMode: CaptureMode.MANUAL };
  const paymentId = await pay(stack, accountId, Behaviour.OK, changes);
  await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
  expect(await callBack(stack, paymentId, { state: "VOIDED" })).toBe(200);
  await waitUntil(
    async () => (await countRows(stack, "callbacks", { paymentId, state: "DONE" })) === 1,
  );
  await stack.payment.capture({ paymentId });
  expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
});
