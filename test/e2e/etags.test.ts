import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AccountState } from "#gen/account/v1/account_pb.ts";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { CaptureMode, PaymentStatus, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { uuidv7 } from "#kit/ids.ts";
import { claimPhase } from "#services/payment/store/payments.ts";
import { fundedAccount } from "#test/idempotency/recipes.ts";
import { refusalOf } from "#test/support/refusal-of.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack[Symbol.asyncDispose]());

const amount = { currencyCode: "USD", minorUnits: 5n };
const MISMATCH = `${Code[Code.Aborted]} ETAG_MISMATCH`;

test("a freeze with the etag that was read happens; one with an older etag does not", async () => {
  const accountId = await fundedAccount(stack);
  const read = (await stack.account.getAccount({ accountId })).account;
  await stack.account.debit({ transactionId: uuidv7(), accountId, amount });
  expect(await refusalOf(stack.account.freezeAccount({ accountId, etag: read?.etag ?? "" }))).toBe(
    MISMATCH,
  );
  const now = (await stack.account.getAccount({ accountId })).account;
  expect(now?.state).toBe(AccountState.ACTIVE);
  const frozen = await stack.account.freezeAccount({ accountId, etag: now?.etag ?? "" });
  expect(frozen.account?.state).toBe(AccountState.FROZEN);
  expect(frozen.account?.etag).not.toBe(now?.etag);
});

test("of freezes that race with debits on one etag, none lands on another version", async () => {
  const accountId = await fundedAccount(stack);
  const { etag = "" } = (await stack.account.getAccount({ accountId })).account ?? {};
  const [debit, freeze] = await Promise.allSettled([
    stack.account.debit({ transactionId: uuidv7(), accountId, amount }),
    stack.account.freezeAccount({ accountId, etag }),
  ]);
  // Whoever is second meets the other's version or state.
  expect([debit.status, freeze.status].filter((status) => status === "fulfilled")).toHaveLength(1);
});

test("If-Match is the etag, with or without quotes, and * asks for none", async () => {
  const accountId = await fundedAccount(stack);
  const freeze = (etag: string) =>
    stack.account.freezeAccount({ accountId }, { headers: { "if-match": etag } });
  expect(await refusalOf(freeze('"zz"'))).toBe(MISMATCH);
  const { etag = "" } = (await stack.account.getAccount({ accountId })).account ?? {};
  expect((await freeze(`"${etag}"`)).account?.state).toBe(AccountState.FROZEN);
  const headers = { "if-match": "*" };
  const active = await stack.account.unfreezeAccount({ accountId }, { headers });
  expect(active.account?.state).toBe(AccountState.ACTIVE);
});

test("If-Match of a replacement is the etag of what it replaces", async () => {
  const headers = { "if-match": '"older"' };
  const update = stack.fraud.updateSettings({ settings: {} }, { headers });
  expect(await refusalOf(update)).toBe(MISMATCH);
});

test("Capture and Cancel refuse an older etag and leave the payment as it was", async () => {
  const paymentId = await authorized();
  expect(await refusalOf(stack.payment.capture({ paymentId, etag: '"0"' }))).toBe(MISMATCH);
  expect(await refusalOf(stack.payment.cancel({ paymentId, etag: '"0"' }))).toBe(MISMATCH);
  const { etag = "", status } = (await stack.payment.get({ paymentId })).payment ?? {};
  expect(status).toBe(PaymentStatus.REQUIRES_CAPTURE);
  const captured = await stack.payment.capture({ paymentId, etag });
  expect(captured.payment?.status).toBe(PaymentStatus.SUCCEEDED);
});

test("of captures and cancels that race on one etag exactly one decides, and the others learn that it changed", async () => {
  const paymentIds = await Promise.all(Array.from({ length: 4 }, authorized));
  for (const paymentId of paymentIds) {
    const { etag = "" } = (await stack.payment.get({ paymentId })).payment ?? {};
    const answers = await Promise.all([
      ...[1n, 2n, 3n].map((minorUnits) =>
        refusalOf(stack.payment.capture({ paymentId, etag, amount: { ...amount, minorUnits } })),
      ),
      refusalOf(stack.payment.cancel({ paymentId, etag })),
    ]);
    expect(answers.sort()).toEqual([MISMATCH, MISMATCH, MISMATCH, "no refusal"].sort());
  }
});

test("a step of the saga changes the etag, so that nobody cancels what they have not seen", async () => {
  const accountId = await fundedAccount(stack);
  const waiting = {
    method: { case: "mock", value: { behaviour: Behaviour.NO_CALLBACK } },
  } as const;
  const created = await stack.payment.create({ accountId, amount, paymentMethod: waiting });
  const { paymentId = "", etag: accepted = "" } = created.payment ?? {};
  const { etag } = await waitUntil(async () => {
    const { payment } = await stack.payment.get({ paymentId });
    return payment?.etag === accepted ? undefined : payment;
  });
  expect(await refusalOf(stack.payment.cancel({ paymentId, etag: accepted }))).toBe(MISMATCH);
  const request = { paymentId, etag, requestId: uuidv7() };
  const cancelled = await stack.payment.cancel(request);
  expect(cancelled.payment?.status).toBe(PaymentStatus.CANCELLED);
  expect(await stack.payment.cancel(request)).toEqual(cancelled);
});

test("a decision whose writer died before it told the workflow is heard by the sweeper", async () => {
  const db = await stack.platform.database("payment");
  const [captured = "", cancelled = ""] = await Promise.all([authorized(), authorized()]);
  const scope = { tenant: "default" };
  const capture = { kind: "CAPTURING", amount: 2n, requestId: uuidv7() } as const;
  await claimPhase(db, scope, captured, capture);
  await claimPhase(db, scope, cancelled, { kind: "UNDOING", reason: "CANCELLED" });
  await stack.payment.recover({});
  const ends = [captured, cancelled].map((paymentId) =>
    waitUntil(async () => {
      const { payment } = await stack.payment.get({ paymentId });
      return payment?.status === PaymentStatus.PROCESSING ? undefined : payment;
    }),
  );
  expect(await Promise.all(ends)).toMatchObject([
    { status: PaymentStatus.SUCCEEDED, capturedAmount: { ...amount, minorUnits: 2n } },
    { status: PaymentStatus.CANCELLED },
  ]);
});

/** A payment of 5 cents that waits for Capture. */
async function authorized(): Promise<string> {
  const accountId = await fundedAccount(stack);
  const { payment } = await stack.payment.create({
    accountId,
    amount,
    captureMode: CaptureMode.MANUAL,
    waitUntil: WaitUntil.COMPLETED,
  });
  expect(payment?.status).toBe(PaymentStatus.REQUIRES_CAPTURE);
  return payment?.paymentId ?? "";
}
