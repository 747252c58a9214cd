import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode, RefundStatus } from "#gen/payment/v1/payment_pb.ts";
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
  QUICK,
  read,
  startQuickStack,
  terminate,
  until,
} from "#test/e2e/payment.support.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

let stack: Stack;
beforeAll(async () => {
  // The sweeper does not look before it is told to, below.
  stack = await startQuickStack({
    SETTLE_CALLBACK_TIMEOUT: "5s",
    SETTLE_SWEEP_INTERVAL: "1h",
    SETTLE_SWEEP_AFTER: "1h",
  });
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

const { SUCCEEDED, FAILED, PROCESSING, REQUIRES_CAPTURE } = PaymentStatus;

describe("Recover", () => {
  test("of a quiet service finds nothing to do", async () => {
    expect(await stack.payment.recover({})).toMatchObject({
      openPayments: 0,
      openRefunds: 0,
      startedWorkflows: 0,
      errors: [],
    });
  });

  test("starts again what an operator terminated, wherever it was, and every payment ends exactly once", async () => {
    const { NO_CALLBACK, HANG, OK } = Behaviour;
    const accountId = await openAccount(stack, 2_000n);
    const kinds = [NO_CALLBACK, HANG, NO_CALLBACK, NO_CALLBACK, HANG];
    const waiting = await Promise.all(kinds.map((kind) => pay(stack, accountId, kind)));
    const manual = await pay(stack, accountId, OK, { captureMode: CaptureMode.MANUAL });
    await until(stack, manual, REQUIRES_CAPTURE);
    const fresh = await pay(stack, accountId, NO_CALLBACK);
    const all = [...waiting, manual, fresh];
    await Promise.all(all.map((id) => terminate(stack, `payment-${id}`)));
    // Terminated: without help they stay as they are.
    expect(await countRows(stack, "payments", { final: false })).toBe(7);
    const report = await stack.payment.recover({});
    expect(report).toMatchObject({ openPayments: 7, startedWorkflows: 7, errors: [] });
    await until(stack, manual, REQUIRES_CAPTURE);
    await stack.payment.capture({ paymentId: manual });
    const ends = await Promise.all(all.map((id) => endOf(stack, id)));
    expect(ends.filter((end) => end === "SUCCEEDED")).toHaveLength(5);
    expect(ends.filter((end) => end === "FAILED GATEWAY_TIMEOUT")).toHaveLength(2);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 1_500n, held: 0n });
    for (const id of all) expect(await noticesOf(stack, id)).toHaveLength(1);
  });

  test("works against an empty Temporal: the rows are enough to go on", async () => {
    const accountId = await openAccount(stack, 1_000n);
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => pay(stack, accountId, Behaviour.NO_CALLBACK)),
    );
    await Promise.all(ids.map((id) => until(stack, id, PROCESSING)));
    await Promise.all(ids.map((id) => forget(`payment-${id}`)));
    const report = await stack.payment.recover({});
    expect(report).toMatchObject({ startedWorkflows: 5, errors: [] });
    for (const id of ids) expect(await callBack(stack, id)).toBe(200);
    for (const id of ids) expect(await endOf(stack, id)).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 500n, held: 0n });
  });
});

/** Makes Temporal forget a workflow as if its store had been lost. */
async function forget(workflowId: string): Promise<void> {
  const { client } = await stack.platform.temporal();
  const execution = { workflowId };
  const { namespace } = stack;
  await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: execution });
  await waitUntil(
    () =>
      client.workflow
        .getHandle(workflowId)
        .describe()
        .then(
          () => false,
          () => true,
        ),
    { what: `${workflowId} to be forgotten` },
  );
}

describe("the sweeper", () => {
  beforeAll(async () => {
    await stack.stop("payment");
    await stack.start("payment", QUICK);
  });

  test("starts terminated payments again by itself, and tells the new run what was called back before", async () => {
    const accountId = await openAccount(stack, 1_000n);
    const paymentId = await pay(stack, accountId, Behaviour.NO_CALLBACK);
    await until(stack, paymentId, PROCESSING);
    await terminate(stack, `payment-${paymentId}`);
    expect(await callBack(stack, paymentId)).toBe(200);
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    await waitUntil(
      async () => (await countRows(stack, "callbacks", { paymentId, state: "DONE" })) === 1,
    );
  });

  test("undoes on what was decided: a payment terminated in the middle of its undo ends cancelled", async () => {
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId, Behaviour.NO_CALLBACK);
    await until(stack, paymentId, PROCESSING);
    await stack.stop("gateway");
    const cancelled = stack.payment.cancel({ paymentId });
    const decided = () =>
      countRows(stack, "payments", { "_id.id": paymentId, "phase.kind": "UNDOING" });
    await waitUntil(async () => (await decided()) === 1);
    await terminate(stack, `payment-${paymentId}`);
    await stack.start("gateway");
    expect((await cancelled).payment?.paymentId).toBe(paymentId);
    expect(await endOf(stack, paymentId)).toBe("CANCELLED CANCELLED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });

  test("ends a refund whose workflow was terminated", async () => {
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId);
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    await stack.stop("gateway");
    const { refund } = await stack.payment.refund({ paymentId });
    const refundId = refund?.refundId ?? "";
    expect(refund?.status).toBe(RefundStatus.PENDING);
    await terminate(stack, `refund-${refundId}`);
    await stack.start("gateway");
    await waitUntil(async () => {
      const { refund } = await stack.payment.getRefund({ refundId });
      return refund?.status === RefundStatus.SUCCEEDED;
    });
    expect((await read(stack, paymentId)).status).toBe(PaymentStatus.REFUNDED);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });
});

describe("an outage", () => {
  test("of Notification fails no payment: it is told once Notification is back", async () => {
    const accountId = await openAccount(stack, 200n);
    await stack.stop("notification");
    const good = await pay(stack, accountId);
    const bad = await pay(stack, accountId, Behaviour.DECLINE);
    expect(await endOf(stack, good)).toBe("SUCCEEDED");
    expect(await endOf(stack, bad)).toBe("FAILED GATEWAY_DECLINED");
    const { refund } = await stack.payment.refund({ paymentId: good });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 200n, held: 0n });
    await stack.start("notification");
    expect(await noticesOf(stack, bad)).toEqual(["failed"]);
    const told = [`${refund?.refundId}:refunded`, "succeeded"].sort();
    expect(await noticesOf(stack, good, 2)).toEqual(told);
    const owing = { notify: { $type: "string" } };
    await waitUntil(async () => (await countRows(stack, "payments", owing)) === 0);
    expect(await noticesOf(stack, good, 2)).toEqual(told);
  });

  test.each([
    ["account", async (paymentId: string) => (await read(stack, paymentId)).timeline.length > 1],
    ["gateway", async (paymentId: string) => (await read(stack, paymentId)).timeline.length > 1],
    [
      "fraud",
      async (paymentId: string) => (await atProvider(stack, paymentId)) === "AUTHORIZED 0-0",
    ],
  ] as const)("of %s only delays: the payment ends once it is back", async (name, isStuck) => {
    const accountId = await openAccount(stack, 100n);
    await stack.stop(name);
    const paymentId = await pay(stack, accountId);
    try {
      await waitUntil(() => isStuck(paymentId));
    } finally {
      await stack.start(name);
    }
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
  });

  test("of Payment itself in the middle of 20 payments loses and doubles none", async () => {
    const accountId = await openAccount(stack, 2_000n);
    const { OK, CALLBACK, DECLINE, DUPLICATE_CALLBACK } = Behaviour;
    const kinds = [OK, CALLBACK, DECLINE, DUPLICATE_CALLBACK];
    const requests = Array.from({ length: 20 }, (_, i) => ({
      requestId: randomUUID(),
      behaviour: kinds[i % kinds.length],
    }));
    const create = ({ requestId, behaviour }: (typeof requests)[number]) =>
      waitUntil(() => pay(stack, accountId, behaviour, { requestId }));
    const created = Promise.all(requests.map(create));
    await waitUntil(async () => (await countRows(stack, "payments", { accountId })) >= 10);
    await stack.stop("payment");
    await stack.start("payment", QUICK);
    const ids = await created;
    expect(await Promise.all(requests.map(create))).toEqual(ids);
    await Promise.all(ids.map((id) => until(stack, id, SUCCEEDED, FAILED)));
    expect(await countRows(stack, "payments", { accountId })).toBe(20);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 500n, held: 0n });
  });
});
