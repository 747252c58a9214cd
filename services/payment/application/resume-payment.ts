import type { Start } from "#kit/temporal/workflow-client.ts";
import type { GatewayCallback } from "../contract.ts";
import { isNews } from "../domain/gateway-event.ts";
import type { Payment } from "../domain/payment.ts";
import type { StoredCallback } from "../store/callbacks.ts";
import type { PaymentDeps } from "./deps.ts";

/**
 * Starts the saga of a payment that was accepted before, unless it runs: every start but the first. The new run is told
 * in its input what the rows know, callbacks included, because an earlier run may have been told them and was lost.
 */
export async function resumePayment(
  deps: Pick<PaymentDeps, "store" | "workflows">,
  payment: Payment,
): Promise<Start> {
  const pending = await deps.store.pendingCallbacks(payment, payment.paymentId);
  const answers = pending.flatMap((callback) => toSignal(callback) ?? []);
  const start = await deps.workflows.startPayment(payment, answers);
  if (start.started) {
    const told = pending.filter(({ outcome }) => !isNews(outcome));
    await deps.store.markSignalled(payment, told);
  }
  return start;
}

/** A stored callback as the saga is told of it; undefined for one that only a reconcile can act on. */
export function toSignal(callback: StoredCallback): GatewayCallback | undefined {
  const { eventId, outcome, gatewayReference, reason } = callback;
  if (isNews(outcome)) return undefined;
  return { eventId, outcome, gatewayReference, reason };
}
