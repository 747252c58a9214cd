import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { createPayment } from "#services/payment/application/create-payment.ts";
import type { PaymentDeps } from "#services/payment/application/deps.ts";
import { DEFAULT_POLICY } from "#services/payment/domain/policy.ts";
import { paymentToMessage } from "#services/payment/rpc/mapping.ts";
import { PaymentFeed } from "#services/payment/store/feed.ts";
import { createPaymentStore } from "#services/payment/store/payment-store.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import {
  Behaviour,
  balanceOf,
  countRows,
  countRuns,
  endOf,
  failure,
  mock,
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
beforeAll(async () => {
  stack = await startQuickStack();
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

describe("Create", () => {
  test("accepts with the ids that everything later goes by, and takes the money", async () => {
    const accountId = await openAccount(stack, 300n);
    const { payment, orderId, workflowId, runId } = await stack.payment.create({
      accountId,
      amount: usd(120n),
    });
    expect(payment?.paymentId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
    expect(payment).toMatchObject({ accountId, status: PaymentStatus.PENDING, amount: usd(120n) });
    expect(orderId).toBe(payment?.paymentId);
    expect(workflowId).toBe(`payment-${payment?.paymentId}`);
    expect(runId).not.toBe("");
    expect(await endOf(stack, payment?.paymentId ?? "")).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 180n, held: 0n });
  });

  test("takes the last cent of a balance and not one more", async () => {
    const accountId = await openAccount(stack, 100n);
    expect(await endOf(stack, await pay(stack, accountId))).toBe("SUCCEEDED");
    const more = await pay(stack, accountId, Behaviour.OK, { amount: usd(1n) });
    expect(await endOf(stack, more)).toBe("FAILED INSUFFICIENT_FUNDS");
  });

  test.concurrent.each([
    ["an unknown account", "USD", "FAILED ACCOUNT_NOT_FOUND"],
    ["an account without enough", "USD", "FAILED INSUFFICIENT_FUNDS"],
    ["an account of another currency", "EUR", "FAILED CURRENCY_MISMATCH"],
    ["a frozen account", "USD", "FAILED ACCOUNT_FROZEN"],
  ])(
    "accepts %s and ends it as failed, with nothing held and the payer told once",
    async (payer, currencyCode, end) => {
      const accountId = await payerFor(payer);
      const paymentId = await pay(stack, accountId, Behaviour.OK, {
        amount: { currencyCode, minorUnits: 100n },
      });
      expect(await endOf(stack, paymentId)).toBe(end);
      expect(await noticesOf(stack, paymentId)).toEqual(["failed"]);
      const authorizationKey = `${paymentId}:authorize`;
      expect(await failure(stack.gateway.getTransaction({ authorizationKey }))).toContain(
        "GATEWAY_TRANSACTION_NOT_FOUND",
      );
    },
  );

  test("finds the payer's account by user and currency", async () => {
    const ownerId = `user-${randomUUID()}`;
    const dollars = await openAccount(stack, 500n, { ownerId });
    await openAccount(stack, 500n, { ownerId, currencyCode: "EUR" });
    const { payment } = await stack.payment.create({ userId: ownerId, amount: usd(100n) });
    expect(payment?.accountId).toBe(dollars);
    expect(await endOf(stack, payment?.paymentId ?? "")).toBe("SUCCEEDED");
    expect(await balanceOf(stack, dollars)).toEqual({ balance: 400n, held: 0n });
  });

  test("refuses a user without an account in the currency, before anything is stored", async () => {
    const userId = `user-${randomUUID()}`;
    const before = await countRows(stack, "payments");
    const unknown = stack.payment.create({ userId, amount: usd(100n) });
    expect(await failure(unknown)).toBe("NotFound ACCOUNT_NOT_FOUND");
    expect(await countRows(stack, "payments")).toBe(before);
  });
});

describe("Create again", () => {
  test("answers the payment as it was accepted, also after it has ended", async () => {
    const requestId = randomUUID();
    const request = {
      requestId,
      accountId: await openAccount(stack, 500n),
      amount: usd(100n),
      metadata: { b: "2", a: "1" },
    };
    const { runId: _, ...first } = await stack.payment.create(request);
    const { runId: __, ...second } = await stack.payment.create(request);
    expect(second).toEqual(first);
    await endOf(stack, first.payment?.paymentId ?? "");
    const { runId: ___, ...third } = await stack.payment.create({
      ...request,
      metadata: { a: "1", b: "2" },
    });
    expect(third).toEqual(first);
    const waiting = await stack.payment.create({ ...request, waitUntil: WaitUntil.COMPLETED });
    expect(waiting.payment).toMatchObject({
      paymentId: first.payment?.paymentId,
      status: PaymentStatus.SUCCEEDED,
    });
  });

  test.concurrent.each([
    ["another amount", { amount: usd(99n) }],
    ["another description", { description: "tea" }],
    ["another capture mode", { captureMode: CaptureMode.MANUAL }],
    ["another behaviour", { paymentMethod: mock(Behaviour.DECLINE) }],
    ["other metadata", { metadata: { a: "2" } }],
  ])("refuses a known request_id with %s", async (_, changes) => {
    const requestId = randomUUID();
    const request = { requestId, accountId: await openAccount(stack, 500n), amount: usd(100n) };
    await stack.payment.create(request);
    expect(await failure(stack.payment.create({ ...request, ...changes }))).toBe(
      "AlreadyExists REQUEST_ID_REUSED",
    );
  });

  test("makes one payment of 32 parallel calls with one request_id, and all get the same answer", async () => {
    const accountId = await openAccount(stack, 3_200n);
    const request = { requestId: randomUUID(), accountId, amount: usd(100n) };
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => stack.payment.create(request)),
    );
    expect(new Set(answers.map(({ payment }) => JSON.stringify(payment, jsonable))).size).toBe(1);
    const paymentId = answers[0]?.payment?.paymentId ?? "";
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    expect(await countRows(stack, "payments", { accountId })).toBe(1);
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 3_100n, held: 0n });
    expect(await noticesOf(stack, paymentId)).toEqual(["succeeded"]);
  });

  test("without a request_id is another payment", async () => {
    const accountId = await openAccount(stack, 500n);
    const ids = [await pay(stack, accountId), await pay(stack, accountId)];
    for (const id of ids) expect(await endOf(stack, id)).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 300n, held: 0n });
  });
});

describe("Create with wait_until", () => {
  test.concurrent.each([
    ["COMPLETED", "OK", "AUTOMATIC", "SUCCEEDED"],
    ["COMPLETED", "CALLBACK", "AUTOMATIC", "SUCCEEDED"],
    ["COMPLETED", "DECLINE", "AUTOMATIC", "FAILED"],
    ["COMPLETED", "OK", "MANUAL", "REQUIRES_CAPTURE"],
    ["AUTHORIZED", "OK", "MANUAL", "REQUIRES_CAPTURE"],
    ["VALIDATED", "NO_CALLBACK", "AUTOMATIC", "PROCESSING"],
    ["ACCEPTED", "OK", "AUTOMATIC", "PENDING"],
  ] as const)(
    "%s of a payment that behaves as %s and is captured %s answers %s",
    async (waitUntil, behaviour, captureMode, status) => {
      const { payment } = await stack.payment.create({
        accountId: await openAccount(stack, 100n),
        amount: usd(100n),
        paymentMethod: mock(Behaviour[behaviour]),
        captureMode: CaptureMode[captureMode],
        waitUntil: WaitUntil[waitUntil],
      });
      expect(nameOf(PaymentStatus, payment?.status)).toBe(status);
      const paymentId = payment?.paymentId ?? "";
      if (status === "PROCESSING" || status === "REQUIRES_CAPTURE")
        await stack.payment.cancel({ paymentId });
    },
  );

  test("answers OK with the present state when the time is over", async () => {
    const { payment } = await stack.payment.create({
      accountId: await openAccount(stack, 100n),
      amount: usd(100n),
      paymentMethod: mock(Behaviour.NO_CALLBACK),
      waitUntil: WaitUntil.COMPLETED,
      waitTimeout: { seconds: 1n },
    });
    expect(nameOf(PaymentStatus, payment?.status)).toBe("PROCESSING");
    await stack.payment.cancel({ paymentId: payment?.paymentId ?? "" });
  });
});

describe("Create without Temporal", () => {
  test("answers OK, and the sweeper starts the payment later", async () => {
    const accountId = await openAccount(stack, 500n);
    const deps = await depsWithoutTemporal();
    await using _ = deps.feed;
    const { payment, runId } = await createPayment(deps, scope, newPayment(accountId));
    expect(runId).toBe("");
    expect(payment).toMatchObject({ status: "PENDING", version: 1n });
    expect(await endOf(stack, payment.paymentId)).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 400n, held: 0n });
    expect(await noticesOf(stack, payment.paymentId)).toEqual(["succeeded"]);
    expect((await read(stack, payment.paymentId)).workflowId).toBe(`payment-${payment.paymentId}`);
  });

  test("answers a repeat as the first, whether Temporal is back or not", async () => {
    const deps = await depsWithoutTemporal();
    await using _ = deps.feed;
    const request = newPayment(await openAccount(stack, 500n));
    const create = async () =>
      paymentToMessage((await createPayment(deps, scope, request)).payment);
    const first = await create();
    expect(await create()).toEqual(first);
    expect(await endOf(stack, first.paymentId)).toBe("SUCCEEDED");
    expect(await create()).toEqual(first);
    expect(await countRuns(stack, `WorkflowId = "${first.workflowId}"`)).toBe(1);
  });
});

const scope = { tenant: "default", subject: "test", roles: [] } as const;

async function depsWithoutTemporal(): Promise<PaymentDeps> {
  const db = await stack.platform.database("payment");
  const down = () => Promise.reject(new Error("Temporal does not answer"));
  return {
    store: createPaymentStore(db),
    feed: new PaymentFeed(db, stack.platform.log),
    workflows: {
      startPayment: down,
      startRefund: down,
      startReconcile: down,
      signalCancel: down,
      signalCallback: down,
      cancel: down,
      capture: down,
    },
    peers: { accountOf: down, accountsOf: down, currencyOf: down, sendNotice: down },
    policy: DEFAULT_POLICY,
    gatewaySecrets: new Map(),
    sweepAfterMs: 1_000,
    watchHeartbeatMs: 15_000,
    log: stack.platform.log,
  };
}

function newPayment(accountId: string): Parameters<typeof createPayment>[2] {
  return {
    requestId: randomUUID(),
    requestHash: "hash",
    accountId,
    userId: "",
    amount: usd(100n),
    method: { kind: "mock", behaviour: 1, flakyAttempts: 0 },
    captureMode: "AUTOMATIC",
    description: "",
    metadata: [],
    orderId: "",
    waitUntil: "ACCEPTED",
    waitTimeoutMs: 1_000,
  };
}

async function payerFor(kind: string): Promise<string> {
  if (kind === "an unknown account") return `nobody-${randomUUID()}`;
  if (kind === "an account without enough") return openAccount(stack, 99n);
  const accountId = await openAccount(stack, 500n);
  if (kind === "a frozen account") await stack.account.freezeAccount({ accountId });
  return accountId;
}

function jsonable(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
