import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode, PaymentStep } from "#gen/payment/v1/payment_pb.ts";
import { onBehalfOf } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import {
  Behaviour,
  endOf,
  failure,
  nameOf,
  openAccount,
  PaymentStatus,
  pay,
  read,
  startQuickStack,
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

describe("Get", () => {
  test("answers everything the caller gave and all that became of it, so that no other call is needed", async () => {
    const accountId = await openAccount(stack, 500n);
    const paymentId = await pay(stack, accountId, Behaviour.CALLBACK, {
      description: "two coffees",
      metadata: { table: "7", waiter: "Zoë" },
      orderId: "order-7",
    });
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    const payment = await read(stack, paymentId);
    expect(payment).toMatchObject({
      paymentId,
      accountId,
      amount: usd(100n),
      capturedAmount: usd(100n),
      refundedAmount: usd(0n),
      captureMode: CaptureMode.AUTOMATIC,
      status: PaymentStatus.SUCCEEDED,
      step: PaymentStep.DONE,
      fraudCheckId: `${paymentId}:fraud-check`,
      holdId: `${paymentId}:hold`,
      workflowId: `payment-${paymentId}`,
      description: "two coffees",
      metadata: { table: "7", waiter: "Zoë" },
      orderId: "order-7",
    });
    expect(payment.failure).toBeUndefined();
    expect(payment.gatewayReference).toMatch(/^gw_/);
    expect(payment.etag).not.toBe("");
    const statuses = payment.timeline.map(({ status }) => nameOf(PaymentStatus, status));
    expect(statuses[0]).toBe("PENDING");
    expect(statuses.slice(1, -1).every((status) => status === "PROCESSING")).toBe(true);
    expect(statuses.at(-1)).toBe("SUCCEEDED");
  });

  test("names the provider's own id also when the provider answered at once", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n));
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    expect((await read(stack, paymentId)).gatewayReference).toMatch(/^gw_/);
  });

  test("answers the payment's own id as order when the caller named none", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n));
    expect((await read(stack, paymentId)).orderId).toBe(paymentId);
  });

  test("answers another tenant's payment like one that is not there, so that ids tell nothing", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n));
    const other = stack.payment.get({ paymentId }, onBehalfOf({ tenant: "other" }));
    expect(await failure(other)).toBe("NotFound PAYMENT_NOT_FOUND");
    expect(await failure(stack.payment.get({ paymentId: "nobody" }))).toBe(
      "NotFound PAYMENT_NOT_FOUND",
    );
  });

  test("names the payment that a workflow id belongs to, because that is what people copy from Temporal's UI", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n));
    const call = stack.payment.get({ paymentId: `payment-${paymentId}` });
    await expect(call).rejects.toThrow(`that is a workflow id, of the payment ${paymentId}`);
  });

  test("answers a description of 256 characters of any script after a request_id of 255: lengths count characters", async () => {
    // Outside the first plane one character is two units of UTF-16.
    const fields = { description: "𠮷".repeat(256), requestId: "k".repeat(255) };
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId, Behaviour.OK, fields);
    expect((await read(stack, paymentId)).description).toBe(fields.description);
    expect(await pay(stack, accountId, Behaviour.OK, fields)).toBe(paymentId);
  });

  test.each([
    ["", "payment_id"],
    ["x".repeat(65), "payment_id"],
  ])("refuses %j as an id, naming the field", async (paymentId, field) => {
    expect(await failure(stack.payment.get({ paymentId }))).toBe(
      `InvalidArgument INVALID_FIELD ${field}`,
    );
  });
});
