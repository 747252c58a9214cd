import type { Payment, PaymentStep } from "./payment.ts";
import type { PaymentPolicy } from "./policy.ts";

/** Longest time between two looks of the sweeper at a payment that waits, in milliseconds. */
export const WAITING_LOOK_MAX_MS = 3_600_000;

/** Steps at which a payment waits for somebody outside, often for days. */
const WAITS: ReadonlySet<PaymentStep> = new Set(["AWAIT_CALLBACK", "FRAUD_CHECK", "CAPTURE"]);

/**
 * When the sweeper looks again at a payment whose run is there: for one that waits after as long as it has waited, at
 * most an hour and not after its deadline, so that a hundred thousand of them leave time for one that was lost.
 * Undefined for one on its way: as usual.
 */
export function nextLookAt(
  payment: Pick<Payment, "phase" | "step" | "updateTime" | "gatewayStartTime" | "captureStartTime">,
  policy: Pick<PaymentPolicy, "callbackTimeoutMs" | "captureExpiryMs">,
  now: Date,
): Date | undefined {
  if (payment.phase.kind !== "OPEN" || !WAITS.has(payment.step)) return undefined;
  const waitedMs = now.getTime() - payment.updateTime.getTime();
  const look = now.getTime() + Math.min(WAITING_LOOK_MAX_MS, waitedMs);
  return new Date(Math.min(look, deadlineOf(payment, policy)));
}

function deadlineOf(
  { step, gatewayStartTime, captureStartTime }: Parameters<typeof nextLookAt>[0],
  policy: Parameters<typeof nextLookAt>[1],
): number {
  if (step === "AWAIT_CALLBACK" && gatewayStartTime)
    return gatewayStartTime.getTime() + policy.callbackTimeoutMs;
  if (step === "CAPTURE" && captureStartTime)
    return captureStartTime.getTime() + policy.captureExpiryMs;
  return Number.POSITIVE_INFINITY;
}
