import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import { whatNext } from "../domain/what-next.ts";
import type { PaymentDeps } from "./deps.ts";
import { mustFind } from "./wait-for.ts";

/** How long Refund waits for the provider before it answers PENDING, in milliseconds. */
const REFUND_WAIT_MS = 5_000;

/**
 * Gives money back. Row and reservation are one transaction, then a workflow does the rest. `refundId` comes from the
 * idempotency claim, so a taken-over call goes on with the same refund. Fails with NOT_REFUNDABLE, REFUND_EXCEEDS_CAPTURED.
 */
export async function refundPayment(
  deps: PaymentDeps,
  scope: Scope,
  request: {
    readonly refundId: string;
    readonly paymentId: string;
    readonly amount?: Money;
    readonly reason: string;
  },
): Promise<Refund> {
  const payment = await mustFind(deps, scope, request.paymentId);
  if (request.amount && request.amount.currencyCode !== payment.currencyCode) {
    throw new Refusal("CURRENCY_MISMATCH", {
      message: `the payment is in ${payment.currencyCode}, not ${request.amount.currencyCode}`,
      fields: [{ field: "amount.currency_code", description: `must be ${payment.currencyCode}` }],
    });
  }
  const reservation = await deps.store.reserveRefund(
    newRefund(deps, payment, request),
    request.amount?.minorUnits,
  );
  if ("refused" in reservation) throw refused(reservation.refused, payment);
  if (reservation.refund.status !== "PENDING") return reservation.refund;
  await deps.workflows
    .startRefund(reservation.refund, payment.accountId, "first")
    .catch((error) => {
      deps.log.warn(
        { err: error, refundId: request.refundId },
        "the refund is left to the sweeper",
      );
    });
  return awaitRefund(deps, scope, reservation.refund);
}

/** Every end of a refund changes the payment's row too, so its feed tells when to look. */
async function awaitRefund(deps: PaymentDeps, scope: Scope, refund: Refund): Promise<Refund> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, REFUND_WAIT_MS);
  let current: Refund = refund;
  const look = async (): Promise<void> => {
    current = (await deps.store.findRefund(scope, refund.refundId)) ?? refund;
    if (current.status !== "PENDING") resolve();
  };
  using _ = await deps.feed.listen(refund.paymentId, () => {
    look().catch(() => undefined);
  });
  try {
    await look();
    if (current.status === "PENDING") await promise;
    return current;
  } finally {
    clearTimeout(timer);
  }
}

function newRefund(
  deps: PaymentDeps,
  payment: Payment,
  request: { readonly refundId: string; readonly reason: string },
): Omit<Refund, "amount"> {
  const now = new Date();
  return {
    tenant: payment.tenant,
    refundId: request.refundId,
    paymentId: payment.paymentId,
    currencyCode: payment.currencyCode,
    status: "PENDING",
    reason: request.reason,
    failure: null,
    notify: null,
    version: 1n,
    createTime: now,
    updateTime: now,
    sweepTime: new Date(now.getTime() + deps.sweepAfterMs),
  };
}

function refused(reason: "NOT_REFUNDABLE" | "REFUND_EXCEEDS_CAPTURED", payment: Payment): Refusal {
  return new Refusal(reason, {
    message:
      reason === "NOT_REFUNDABLE"
        ? `payment ${payment.paymentId} is ${payment.status} and cannot be refunded: ${whatNext(payment.status)}`
        : `less than that is left of payment ${payment.paymentId}'s captured amount; Get shows how much is`,
    metadata: { payment_id: payment.paymentId, status: payment.status },
  });
}
