import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import { paymentInput } from "#services/payment/application/temporal.ts";
import { captureUpdate, PAYMENT_TASK_QUEUE, PAYMENT_WORKFLOW } from "#services/payment/contract.ts";
import { DEFAULT_POLICY } from "#services/payment/domain/policy.ts";
import { createPaymentStore } from "#services/payment/store/payment-store.ts";
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
  startQuickStack,
  terminate,
  until,
  usd,
} from "./payment.support.ts";

let stack: Stack;
/** Expires after six seconds, so it begins before everything else. */
let forgotten: Awaited<ReturnType<typeof authorized>>;
beforeAll(async () => {
  stack = await startQuickStack({ SETTLE_CAPTURE_EXPIRY: "6s" });
  forgotten = await authorized();
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

/** A payment of 100 cents that is authorised and waits for Capture. */
async function authorized(
  behaviour: Behaviour = Behaviour.OK,
): Promise<{ accountId: string; paymentId: string }> {
  const accountId = await openAccount(stack, 100n);
  const paymentId = await pay(stack, accountId, behaviour, { captureMode: CaptureMode.MANUAL });
  await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
  return { accountId, paymentId };
}

describe("Capture", () => {
  test("of everything settles the payment", async () => {
    const { accountId, paymentId } = await authorized(Behaviour.CALLBACK);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 100n });
    const { payment } = await stack.payment.capture({ paymentId });
    expect(payment).toMatchObject({
      status: PaymentStatus.SUCCEEDED,
      capturedAmount: usd(100n),
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
    expect(await noticesOf(stack, paymentId)).toEqual(["succeeded"]);
  });

  test("of a part settles that part and releases the rest at once", async () => {
    const { accountId, paymentId } = await authorized();
    const { payment } = await stack.payment.capture({ paymentId, amount: usd(30n) });
    expect(payment).toMatchObject({
      status: PaymentStatus.SUCCEEDED,
      amount: usd(100n),
      capturedAmount: usd(30n),
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 70n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 30-0");
    const [told] = await waitUntil(async () => {
      const { notifications } = await stack.notification.list({ paymentId });
      return notifications.length === 1 && notifications;
    });
    expect(told?.variables).toMatchObject({
      amount: "0.30 USD",
      authorized: "1.00 USD",
      minorUnits: "100",
      capturedMinorUnits: "30",
    });
    const tooMuch = stack.payment.refund({ paymentId, amount: usd(31n) });
    expect(await failure(tooMuch)).toBe("FailedPrecondition REFUND_EXCEEDS_CAPTURED");
  });

  test.concurrent.each([
    ["more than was authorised", usd(101n), "FailedPrecondition CAPTURE_EXCEEDS_AUTHORIZED"],
    ["nothing", usd(0n), "InvalidArgument INVALID_AMOUNT amount.minor_units"],
    ["less than nothing", usd(-1n), "InvalidArgument INVALID_AMOUNT amount.minor_units"],
    [
      "another currency",
      { currencyCode: "EUR", minorUnits: 1n },
      "InvalidArgument CURRENCY_MISMATCH amount.currency_code",
    ],
  ])("of %s is refused, and the payment can still be captured", async (_, amount, expected) => {
    const { paymentId } = await authorized();
    expect(await failure(stack.payment.capture({ paymentId, amount }))).toBe(expected);
    const { payment } = await stack.payment.capture({ paymentId });
    expect(nameOf(PaymentStatus, payment?.status)).toBe("SUCCEEDED");
  });

  test("answers a repeat of its request_id the same, and refuses a second one", async () => {
    const { accountId, paymentId } = await authorized();
    const request = { paymentId, requestId: randomUUID(), amount: usd(40n) };
    const first = await stack.payment.capture(request);
    expect(await stack.payment.capture(request)).toEqual(first);
    const second = stack.payment.capture({ paymentId, amount: usd(60n) });
    expect(await failure(second)).toBe("FailedPrecondition NOT_CAPTURABLE");
    const other = stack.payment.capture({ ...request, amount: usd(41n) });
    expect(await failure(other)).toBe("AlreadyExists REQUEST_ID_REUSED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 60n, held: 0n });
  });

  test("in ten parallel calls takes the amount of exactly one", async () => {
    const { accountId, paymentId } = await authorized();
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        stack.payment.capture({ paymentId, amount: usd(BigInt(10 + i)) }),
      ),
    );
    const won = answers.filter((answer) => answer.status === "fulfilled");
    expect(won).toHaveLength(1);
    const captured = won[0]?.value.payment?.capturedAmount?.minorUnits ?? 0n;
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n - captured, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe(`CAPTURED ${captured}-0`);
    const lost = answers.filter((answer) => answer.status === "rejected");
    const reasons = await Promise.all(lost.map(({ reason }) => failure(Promise.reject(reason))));
    expect(new Set(reasons)).toEqual(new Set(["FailedPrecondition NOT_CAPTURABLE"]));
  });

  test("settles what the row decided, not what the workflow was asked for after another had won", async () => {
    const { accountId, paymentId } = await authorized();
    const store = createPaymentStore(await stack.platform.database("payment"));
    const winner = { kind: "CAPTURING", amount: 30n, requestId: "the-winner" } as const;
    await store.claimPhase({ tenant: "default" }, paymentId, winner);
    const { client } = await stack.platform.temporal();
    await client.workflow.getHandle(`payment-${paymentId}`).executeUpdate(captureUpdate, {
      args: [{ requestId: "the-loser", amount: "100" }],
    });
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 70n, held: 0n });
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 30-0");
  });

  test("works after an operator terminated the workflow", async () => {
    const { accountId, paymentId } = await authorized();
    await terminate(stack, `payment-${paymentId}`);
    const { payment } = await stack.payment.capture({ paymentId, amount: usd(55n) });
    expect(payment).toMatchObject({
      status: PaymentStatus.SUCCEEDED,
      capturedAmount: usd(55n),
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 45n, held: 0n });
    expect(await noticesOf(stack, paymentId)).toEqual(["succeeded"]);
  });

  test.each(["capture", "cancel"] as const)(
    "or Cancel (%s) works after the saga was lost and a repeat of Create started it again",
    async (call) => {
      const accountId = await openAccount(stack, 100n);
      const request = {
        requestId: `lost-${call}`,
        accountId,
        amount: usd(100n),
        captureMode: CaptureMode.MANUAL,
      };
      const { payment } = await stack.payment.create(request);
      const paymentId = payment?.paymentId ?? "";
      await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
      await terminate(stack, `payment-${paymentId}`);
      expect((await stack.payment.create(request)).runId).not.toBe("");
      const ended = await stack.payment[call]({ paymentId });
      const captured = call === "capture";
      expect(ended.payment?.status).toBe(PaymentStatus[captured ? "SUCCEEDED" : "CANCELLED"]);
      expect(await balanceOf(stack, accountId)).toEqual({
        balance: captured ? 0n : 100n,
        held: 0n,
      });
    },
  );

  test.each([
    [{ kind: "CAPTURING", amount: 30n, requestId: "the-row" }, "SUCCEEDED"],
    [{ kind: "UNDOING", reason: "CANCELLED" }, "CANCELLED"],
  ] as const)(
    "follows what the row has decided (%o) in a run that was told nothing",
    async (phase, status) => {
      const { paymentId } = await authorized();
      await terminate(stack, `payment-${paymentId}`);
      const store = createPaymentStore(await stack.platform.database("payment"));
      const row = await store.claimPhase({ tenant: "default" }, paymentId, phase);
      if (!row) throw new Error("no row");
      // As an operator starts it by hand: with the input of the first start.
      const { client } = await stack.platform.temporal();
      await client.workflow.start(PAYMENT_WORKFLOW, {
        workflowId: `payment-${paymentId}`,
        taskQueue: PAYMENT_TASK_QUEUE,
        args: [paymentInput(row, DEFAULT_POLICY, undefined)],
      });
      expect(await endOf(stack, paymentId)).toBe(
        status === "CANCELLED" ? "CANCELLED CANCELLED" : status,
      );
    },
  );

  test("and Cancel at the same time have one outcome, with exact books", async () => {
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { accountId, paymentId } = await authorized();
        const [captured, cancelled] = await Promise.allSettled([
          stack.payment.capture({ paymentId }),
          stack.payment.cancel({ paymentId }),
        ]);
        expect([captured.status, cancelled.status].sort()).toEqual(["fulfilled", "rejected"]);
        const balance = captured.status === "fulfilled" ? 0n : 100n;
        expect(await balanceOf(stack, accountId)).toEqual({ balance, held: 0n });
      }),
    );
  });

  test("of a payment that does not wait for it is refused", async () => {
    const accountId = await openAccount(stack, 100n);
    const pending = await pay(stack, accountId, Behaviour.CALLBACK);
    expect(await failure(stack.payment.capture({ paymentId: pending }))).toBe(
      "FailedPrecondition NOT_CAPTURABLE",
    );
    expect(await endOf(stack, pending)).toBe("SUCCEEDED");
    expect(await failure(stack.payment.capture({ paymentId: pending }))).toBe(
      "FailedPrecondition NOT_CAPTURABLE",
    );
    expect(await failure(stack.payment.capture({ paymentId: "nobody" }))).toBe(
      "NotFound PAYMENT_NOT_FOUND",
    );
  });
});

describe("Capture that the provider refuses for good", () => {
  test("because another amount was captured there ends the payment, with the money given back", async () => {
    const { accountId, paymentId } = await authorized();
    const authorizationKey = `${paymentId}:authorize`;
    const amount = usd(70n);
    await stack.gateway.capture({ idempotencyKey: `${paymentId}:hand`, authorizationKey, amount });
    expect(await failure(stack.payment.capture({ paymentId }))).toBe(
      "FailedPrecondition NOT_CAPTURABLE",
    );
    expect(await endOf(stack, paymentId)).toBe("FAILED GATEWAY_DECLINED");
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 70-70");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });

  test("because the authorisation was voided there ends the payment as declined", async () => {
    const { accountId, paymentId } = await authorized();
    const authorizationKey = `${paymentId}:authorize`;
    await stack.gateway.void({ idempotencyKey: `${paymentId}:hand`, authorizationKey });
    expect(await failure(stack.payment.capture({ paymentId }))).toBe(
      "FailedPrecondition NOT_CAPTURABLE",
    );
    expect(await endOf(stack, paymentId)).toBe("FAILED GATEWAY_DECLINED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    expect(await countRows(stack, "tasks")).toBe(0);
  });
});

test("a capture that never comes undoes the payment when its time is over", async () => {
  const { accountId, paymentId } = forgotten;
  expect(await endOf(stack, paymentId)).toBe("FAILED CAPTURE_EXPIRED");
  expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
  expect(await failure(stack.payment.capture({ paymentId }))).toBe(
    "FailedPrecondition NOT_CAPTURABLE",
  );
});
