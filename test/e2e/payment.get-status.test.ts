import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
  startQuickStack,
  until,
} from "./payment.support.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startQuickStack();
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

async function view(paymentId: string): Promise<string> {
  const { status, view } = await stack.payment.getStatus({ paymentId });
  return `${nameOf(PaymentStatus, status)} ${view}`;
}

describe("GetStatus", () => {
  test("follows a payment by its id and by its workflow id, so that clients of the source system go on", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n), Behaviour.NO_CALLBACK);
    await until(stack, paymentId, PaymentStatus.PROCESSING);
    expect(await view(paymentId)).toBe("PROCESSING processing");
    const byWorkflow = await stack.payment.getStatus({ workflowId: `payment-${paymentId}` });
    expect(byWorkflow).toMatchObject({ paymentId, status: PaymentStatus.PROCESSING });
    await stack.payment.cancel({ paymentId });
    expect(await view(paymentId)).toBe("CANCELLED fail");
  });

  test("tells success from failure, with the reason, after the run has ended", async () => {
    const good = await pay(stack, await openAccount(stack, 100n));
    const bad = await pay(stack, await openAccount(stack, 100n), Behaviour.DECLINE);
    await Promise.all([endOf(stack, good), endOf(stack, bad)]);
    expect(await view(good)).toBe("SUCCEEDED success");
    expect(await view(bad)).toBe("FAILED fail");
    const { failure } = await stack.payment.getStatus({ paymentId: bad });
    expect(failure).toMatchObject({ reason: "GATEWAY_DECLINED", retryable: false });
    await stack.payment.refund({ paymentId: good });
    expect(await view(good)).toBe("REFUNDED success");
  });

  test.each([
    ["an unknown payment", { paymentId: "nobody" }, "NotFound PAYMENT_NOT_FOUND"],
    ["an unknown workflow", { workflowId: "payment-nobody" }, "NotFound PAYMENT_NOT_FOUND"],
    ["neither id", {}, "InvalidArgument INVALID_FIELD payment_id"],
    [
      "both ids",
      { paymentId: "a", workflowId: "payment-a" },
      "InvalidArgument INVALID_FIELD payment_id",
    ],
  ])("refuses %s", async (_, request, expected) => {
    expect(await failure(stack.payment.getStatus(request))).toBe(expected);
  });
});
