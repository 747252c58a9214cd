import { parseMoneyText } from "#kit/pure/money.ts";
import { isRetryable, reasonOf } from "#kit/rpc/errors.ts";
import { activityCall } from "#kit/temporal/call-options.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type { PaymentActivities } from "../contract.ts";
import { keysOf } from "../domain/payment.ts";
import type { PaymentActivityDeps } from "./deps.ts";

type Input = Parameters<PaymentActivities["payment::refund"]>[0];

/**
 * Gives money back: provider by key, ledger by the same key, then the rows. A definite decline of the provider drops the
 * reservation; an unknown outcome is thrown and repeated.
 */
export async function refund(
  deps: PaymentActivityDeps,
  input: Input,
): Promise<{ readonly status: "SUCCEEDED" | "FAILED" }> {
  const { tenant, refundId, paymentId } = input;
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
    if (isRetryable(error)) return callPeer(() => Promise.reject(error));
    const reason = reasonOf(error) ?? "GATEWAY_DECLINED";
    const message = "the provider declined the refund; nothing was moved";
    const ended = await deps.book.finishRefund(tenant, refundId, {
      reason,
      message,
      retryable: false,
    });
    return { status: ended.status === "SUCCEEDED" ? "SUCCEEDED" : "FAILED" };
  }
  await creditPayer(deps, input);
  await deps.book.finishRefund(tenant, refundId, null);
  return { status: "SUCCEEDED" };
}

/** The provider has given the money back, so it must stand in the ledger: to the payer, or to suspense if that cannot be. */
async function creditPayer(deps: PaymentActivityDeps, input: Input): Promise<void> {
  const { tenant, refundId, paymentId, accountId } = input;
  const amount = parseMoneyText(input.amount);
  const posting = {
    amount,
    counterAccountId: keysOf.providerAccount(amount.currencyCode),
    reference: `refund ${refundId} of payment ${paymentId}`,
  };
  try {
    const transfer = { ...posting, transactionId: keysOf.refund(refundId), accountId };
    await deps.account.credit(transfer, activityCall(tenant));
  } catch (error) {
    if (isRetryable(error)) return callPeer(() => Promise.reject(error));
    const reason = reasonOf(error) ?? "REFUSED";
    await callPeer(() =>
      deps.account.credit(
        {
          ...posting,
          transactionId: `${keysOf.refund(refundId)}:suspense`,
          accountId: keysOf.suspenseAccount(amount.currencyCode),
        },
        activityCall(tenant),
      ),
    );
    await deps.book.openTask(
      input,
      "REFUND_SUSPENSE",
      `refund ${refundId} is in suspense: ${reason}`,
    );
  }
}
