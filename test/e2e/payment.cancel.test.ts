import { randomUUID } from "node:crypto";
import { Metadata, status } from "@grpc/grpc-js";
import { Client, ServiceError, type WorkflowClientInterceptor } from "@temporalio/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import { createWorkflowClient } from "#kit/temporal/workflow-client.ts";
import { cancelUpdate } from "#services/payment/contract.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  atProvider,
  Behaviour,
  balanceOf,
  callBack,
  endOf,
  failure,
  nameOf,
  noticesOf,
  openAccount,
  PaymentStatus,
  pay,
  read,
  startQuickStack,
  terminate,
  until,
  usd,
} from "./payment.support.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startQuickStack({
    SETTLE_FRAUD_REVIEW_LIMITS: "USD:1000",
    SETTLE_REVIEW_TIMEOUT: "300ms",
    SETTLE_DECISION_POLL: "300ms",
  });
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

/** A payment that waits for a callback that does not come. */
async function waiting(): Promise<{ accountId: string; paymentId: string }> {
  const accountId = await openAccount(stack, 100n);
  const paymentId = await pay(stack, accountId, Behaviour.NO_CALLBACK);
  await until(stack, paymentId, PaymentStatus.PROCESSING);
  return { accountId, paymentId };
}

describe("Cancel", () => {
  test("of a payment that waits for its callback gives the money back and tells the payer once", async () => {
    const { accountId, paymentId } = await waiting();
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 100n });
    const { payment } = await stack.payment.cancel({ paymentId, reason: "changed my mind" });
    expect(payment).toMatchObject({
      paymentId,
      status: PaymentStatus.CANCELLED,
      failure: { reason: "CANCELLED", retryable: false },
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
    expect(await noticesOf(stack, paymentId)).toEqual(["cancelled"]);
  });

  test("answers a repeat of its request_id the same, and another cancel of it too", async () => {
    const { paymentId } = await waiting();
    const request = { paymentId, requestId: randomUUID() };
    const first = await stack.payment.cancel(request);
    expect(await stack.payment.cancel(request)).toEqual(first);
    const again = await stack.payment.cancel({ paymentId });
    expect(again.payment?.status).toBe(PaymentStatus.CANCELLED);
    const other = stack.payment.cancel({ ...request, reason: "another body" });
    expect(await failure(other)).toBe("AlreadyExists REQUEST_ID_REUSED");
    expect(await noticesOf(stack, paymentId)).toEqual(["cancelled"]);
  });

  test("refuses a settled payment, a failed one and a refunded one, and changes nothing", async () => {
    const accountId = await openAccount(stack, 200n);
    const good = await pay(stack, accountId);
    const bad = await pay(stack, accountId, Behaviour.DECLINE);
    await Promise.all([endOf(stack, good), endOf(stack, bad)]);
    for (const paymentId of [good, bad]) {
      const request = { paymentId, requestId: randomUUID() };
      const refused = "FailedPrecondition NOT_CANCELLABLE";
      expect(await failure(stack.payment.cancel(request))).toBe(refused);
      expect(await failure(stack.payment.cancel(request))).toBe(refused);
    }
    await stack.payment.refund({ paymentId: good });
    expect(await failure(stack.payment.cancel({ paymentId: good }))).toBe(
      "FailedPrecondition NOT_CANCELLABLE",
    );
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 200n, held: 0n });
  });

  test.each([
    [{ paymentId: "nobody" }, "NotFound PAYMENT_NOT_FOUND"],
    [{}, "InvalidArgument INVALID_FIELD payment_id"],
  ])("of %j fails by name", async (request, expected) => {
    expect(await failure(stack.payment.cancel(request))).toBe(expected);
  });

  test("of a payment whose workflow an operator terminated undoes it as well", async () => {
    const { accountId, paymentId } = await waiting();
    await terminate(stack, `payment-${paymentId}`);
    const { payment } = await stack.payment.cancel({ paymentId });
    expect(nameOf(PaymentStatus, payment?.status)).toBe("CANCELLED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
    expect(await noticesOf(stack, paymentId)).toEqual(["cancelled"]);
  });

  test("of a payment in REQUIRES_CAPTURE frees what was authorised", async () => {
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId, Behaviour.OK, {
      captureMode: CaptureMode.MANUAL,
    });
    await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
    const { payment } = await stack.payment.cancel({ paymentId });
    expect(nameOf(PaymentStatus, payment?.status)).toBe("CANCELLED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
  });

  test("of a payment in NEEDS_REVIEW ends the review with it", async () => {
    const accountId = await openAccount(stack, 2_000n);
    const paymentId = await pay(stack, accountId, Behaviour.OK, { amount: usd(1_001n) });
    await until(stack, paymentId, PaymentStatus.NEEDS_REVIEW);
    const { payment } = await stack.payment.cancel({ paymentId });
    expect(nameOf(PaymentStatus, payment?.status)).toBe("CANCELLED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 2_000n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
    const { client } = await stack.platform.temporal();
    const child = client.workflow.getHandle(`fraud-check-${paymentId}`);
    // The undo does not wait for the child's own end.
    await waitUntil(async () => (await child.describe()).status.name !== "RUNNING");
  });

  test("after a capture made at the provider behind our back gives the money back there too", async () => {
    const { accountId, paymentId } = await waiting();
    const authorizationKey = `${paymentId}:authorize`;
    await authorized(paymentId);
    await stack.gateway.capture({ idempotencyKey: `${paymentId}:by-hand`, authorizationKey });
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-0");
    const { payment } = await stack.payment.cancel({ paymentId });
    expect(nameOf(PaymentStatus, payment?.status)).toBe("CANCELLED");
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-100");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });

  test("ends also when the provider was made to give the money back already", async () => {
    const { accountId, paymentId } = await waiting();
    const authorizationKey = `${paymentId}:authorize`;
    await authorized(paymentId);
    await stack.gateway.capture({ idempotencyKey: `${paymentId}:by-hand`, authorizationKey });
    await stack.gateway.refund({ idempotencyKey: `${paymentId}:back`, authorizationKey });
    const { payment } = await stack.payment.cancel({ paymentId });
    expect(nameOf(PaymentStatus, payment?.status)).toBe("CANCELLED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });
});

/** Waits until the provider has authorised, of which it tells nobody. */
function authorized(paymentId: string): Promise<boolean> {
  return waitUntil(async () => (await atProvider(stack, paymentId)) === "AUTHORIZED 0-0");
}

describe("a race of two cancels and a callback", () => {
  test("has one outcome that everybody is told, twenty times, with exact books", async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => race(i)));
    // Either side may win; what counts is that nobody is told otherwise.
    expect(outcomes).toHaveLength(20);
  });
});

async function race(index: number): Promise<string> {
  const { accountId, paymentId } = await waiting();
  await authorized(paymentId);
  const cancel = () =>
    stack.payment.cancel({ paymentId }).then(
      ({ payment }) => nameOf(PaymentStatus, payment?.status),
      (error: unknown) => failure(Promise.reject(error)),
    );
  const parties = [cancel, () => callBack(stack, paymentId), cancel];
  // Each round begins with another party, so that not always the same one is first.
  const order = parties.map((_, place) => parties[(place + index) % parties.length]);
  const answers = await Promise.all(order.map((party) => party?.()));
  const end = await endOf(stack, paymentId);
  const cancelled = end === "CANCELLED CANCELLED";
  const expected = cancelled ? "CANCELLED" : "FailedPrecondition NOT_CANCELLABLE";
  expect([...answers].sort()).toEqual([200, expected, expected].sort());
  const balance = cancelled ? 100n : 0n;
  expect(await balanceOf(stack, accountId)).toEqual({ balance, held: 0n });
  expect(await atProvider(stack, paymentId)).toBe(cancelled ? "VOIDED 0-0" : "CAPTURED 100-0");
  expect(await noticesOf(stack, paymentId)).toEqual([cancelled ? "cancelled" : "succeeded"]);
  expect((await read(stack, paymentId)).failure?.reason).toBe(cancelled ? "CANCELLED" : undefined);
  return end;
}

test("an update that the server threw away with its task is sent again, so that the run ends with its row", async () => {
  const { paymentId } = await waiting();
  const { connection, dataConverter } = await stack.platform.temporal();
  let sends = 0;
  const startUpdate: WorkflowClientInterceptor["startUpdate"] = async (input, next) => {
    sends += 1;
    if (sends > 1) return next(input);
    // As Temporal answers when a signal reached the workflow while the update's task ran.
    const lost = { code: status.FAILED_PRECONDITION, details: "lost", metadata: new Metadata() };
    throw new ServiceError("Workflow Update failed", { cause: Object.assign(new Error(), lost) });
  };
  const { namespace } = stack;
  const client = new Client({
    connection,
    dataConverter,
    namespace,
    interceptors: { workflow: [{ startUpdate }] },
  });
  const outcome = await createWorkflowClient(client).update(`payment-${paymentId}`, cancelUpdate, {
    updateId: randomUUID(),
    payload: { requestId: randomUUID() },
    timeoutMs: 20_000,
  });
  expect(outcome).toMatchObject({ status: "CANCELLED" });
  expect(sends).toBeGreaterThan(1);
  expect(await endOf(stack, paymentId)).toBe("CANCELLED CANCELLED");
});
