import type { Scope } from "#kit/pure/scope.ts";
import type { DecidedPhase, Payment } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { resumePayment } from "./resume-payment.ts";
import { mustFind } from "./wait-for.ts";

/**
 * The payment with its phase decided: by the workflow, or here when the workflow is gone or silent; then one is started
 * that follows the row. A phase that was decided otherwise stays.
 */
export async function decidePhase(
  deps: PaymentDeps,
  scope: Scope,
  paymentId: string,
  phase: DecidedPhase,
): Promise<Payment> {
  const payment = await mustFind(deps, scope, paymentId);
  if (payment.final) return payment;
  const claimed = (await deps.store.claimPhase(scope, paymentId, phase)) ?? payment;
  await resumePayment(deps, claimed).catch((error) => {
    deps.log.warn(
      { err: error, paymentId, phase: phase.kind },
      "the decision is left to the sweeper",
    );
  });
  return claimed;
}
