import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { hasReached, type Payment, type WaitUntil } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";

/** How long to wait for what. */
export interface Wait {
  readonly until: WaitUntil;
  readonly timeoutMs: number;
  /** The caller gave up: the wait ends, the payment goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Waits until the row shows that the payment got so far, or the time is over, and answers the row as it is then. Listens
 * before it reads, so that no change falls between the two. Fails with PAYMENT_NOT_FOUND.
 */
export async function waitFor(
  deps: Pick<PaymentDeps, "store" | "feed">,
  scope: Pick<Scope, "tenant" | "accounts">,
  paymentId: string,
  wait: Wait,
): Promise<Payment> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, wait.timeoutMs);
  wait.signal?.addEventListener("abort", () => resolve(), { once: true });
  using _ = await deps.feed.listen(paymentId, (changed) => {
    if (changed === undefined || hasReached(changed, wait.until)) resolve();
  });
  try {
    const payment = await mustFind(deps, scope, paymentId);
    if (hasReached(payment, wait.until)) return payment;
    await promise;
    return await mustFind(deps, scope, paymentId);
  } finally {
    clearTimeout(timer);
  }
}

/** The payment, or PAYMENT_NOT_FOUND; also for another tenant's, so that ids tell nothing. */
export async function mustFind(
  deps: Pick<PaymentDeps, "store">,
  scope: Pick<Scope, "tenant" | "accounts">,
  paymentId: string,
): Promise<Payment> {
  const payment = await deps.store.findPayment(scope, paymentId);
  if (payment) return payment;
  throw new Refusal("PAYMENT_NOT_FOUND", {
    message: `there is no payment ${paymentId}; ${hintFor(paymentId)}`,
    metadata: { payment_id: paymentId },
  });
}

/** Workflow ids are what people see in Temporal's UI, and copy. */
function hintFor(paymentId: string): string {
  const inWorkflowId = /^payment-(.+)$/.exec(paymentId)?.[1];
  return inWorkflowId === undefined
    ? "look it up with List"
    : `that is a workflow id, of the payment ${inWorkflowId}`;
}
