import { parseMoneyText } from "#kit/pure/money.ts";
import { definiteReason } from "#kit/rpc/errors.ts";
import { activityCall } from "#kit/temporal/call-options.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type { PaymentActivities } from "../contract.ts";
import { keysOf } from "../domain/payment.ts";
import type { PaymentActivityDeps } from "./deps.ts";

type Input = Parameters<PaymentActivities["payment::refund"]>[0];

/** Why the provider declines a refund for good; it moved nothing then and never will under this key. */
const REFUND_DECLINES = ["GATEWAY_DECLINED", "REFUND_EXCEEDS_CAPTURED"] as const;
/** Why the ledger declines for good to pay the payer. */
const CREDIT_DECLINES = [
  "ACCOUNT_NOT_FOUND",
  "ACCOUNT_FROZEN",
  "BALANCE_OVERFLOW",
  "CURRENCY_MISMATCH",
  "TRANSACTION_REVERSED",
] as const;

/**
 * Gives money back: provider by key, ledger by the same key, then the rows. A definite decline of the provider drops the
 * reservation; an unknown outcome is thrown and repeated.
 */
export async function refund(
  deps: PaymentActivityDeps,
  input: Input,
): Promise<{ readonly status: "SUCCEEDED" | "FAILED" }> {
  const { tenant, refundId, paymentId, providerKey } = input;
  // What the provider gave back by itself is given back already.
  if (providerKey !== undefined) return settleRefund(deps, input);
  try {
    await deps.gateway.refund(
      {
        idempotencyKey: keysOf.refund(refundId),
        authorizationKey: keysOf.authorize(paymentId),
        amount: parseMoneyText(input.amount),
      },
      activityCall(tenant),
    );
  } catch (error) {
    const reason = definiteReason(error, REFUND_DECLINES);
    if (reason === undefined) return callPeer(() => Promise.reject(error));
    const message = "the provider declined the refund; nothing was moved";
    const ended = await deps.book.finishRefund(tenant, refundId, {
      reason,
      message,
      retryable: false,
    });
    return { status: ended.status === "SUCCEEDED" ? "SUCCEEDED" : "FAILED" };
  }
  return settleRefund(deps, input);
}

async function settleRefund(
  deps: PaymentActivityDeps,
  input: Input,
): Promise<{ readonly status: "SUCCEEDED" }> {
  await creditPayer(deps, input);
  await deps.book.finishRefund(input.tenant, input.refundId, null);
  return { status: "SUCCEEDED" };
}

/**
 * The provider has given the money back, so it must stand in the ledger: with who paid. That is suspense where the hold was
 * gone at the capture; and also where the payer's account cannot take it, until a person has decided.
 */
async function creditPayer(deps: PaymentActivityDeps, input: Input): Promise<void> {
  const { tenant, refundId, paymentId, accountId } = input;
  const amount = parseMoneyText(input.amount);
  const posting = {
    amount,
    counterAccountId: keysOf.providerAccount(amount.currencyCode),
    reference: `refund ${refundId} of payment ${paymentId}`,
  };
  const toSuspense = {
    ...posting,
    transactionId: `${keysOf.refund(refundId)}:suspense`,
    accountId: keysOf.suspenseAccount(amount.currencyCode),
  };
  if (await suspensePaid(deps, input)) {
    await callPeer(() => deps.account.credit(toSuspense, activityCall(tenant)));
    return;
  }
  try {
    const transfer = { ...posting, transactionId: keysOf.refund(refundId), accountId };
    await deps.account.credit(transfer, activityCall(tenant));
  } catch (error) {
    const reason = definiteReason(error, CREDIT_DECLINES);
    if (reason === undefined) return callPeer(() => Promise.reject(error));
    await callPeer(() => deps.account.credit(toSuspense, activityCall(tenant)));
    await deps.book.openTask(
      input,
      "REFUND_SUSPENSE",
      `refund ${refundId} is in suspense: ${reason}`,
    );
  }
}

/** Whether the payment was posted from suspense: then its payer paid nothing, and a refund to it would make money. */
async function suspensePaid(
  deps: PaymentActivityDeps,
  { tenant, paymentId }: Input,
): Promise<boolean> {
  try {
    const transactionId = keysOf.suspense(paymentId);
    await deps.account.getTransaction({ transactionId }, activityCall(tenant));
    return true;
  } catch (error) {
    if (definiteReason(error, ["TRANSACTION_NOT_FOUND"])) return false;
    return callPeer(() => Promise.reject(error));
  }
}
