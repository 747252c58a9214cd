import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AccountState } from "#gen/account/v1/account_pb.ts";
import { CaptureMode, PaymentStatus, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { uuidv7 } from "#kit/ids.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { fundedAccount } from "#test/idempotency/recipes.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

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
  const accountId = await fundedAccount(stack);
  const created = await stack.payment.create({
    accountId,
    amount,
    captureMode: CaptureMode.MANUAL,
    waitUntil: WaitUntil.COMPLETED,
  });
  const paymentId = created.payment?.paymentId ?? "";
  expect(await refusalOf(stack.payment.capture({ paymentId, etag: '"0"' }))).toBe(MISMATCH);
  expect(await refusalOf(stack.payment.cancel({ paymentId, etag: '"0"' }))).toBe(MISMATCH);
  const { etag = "", status } = (await stack.payment.get({ paymentId })).payment ?? {};
  expect(status).toBe(PaymentStatus.REQUIRES_CAPTURE);
  const captured = await stack.payment.capture({ paymentId, etag });
  expect(captured.payment?.status).toBe(PaymentStatus.SUCCEEDED);
});

async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return `${Code[error.code]} ${reasonOf(error)}`;
    throw error;
  }
  return "no refusal";
}
