import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { type DecidedPhase, isSamePhase, type Payment } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";

/**
 * Decides a payment only if it is still exactly as it was read: comparison and decision are one write, so that of all
 * who come with one etag, the saga's own steps included, one is first. The running workflow is told afterwards and
 * follows the row. Fails with ETAG_MISMATCH. What is decided already is answered as it is.
 */
export async function claimVersion(
  deps: Pick<PaymentDeps, "store">,
  scope: Scope,
  read: Payment,
  phase: DecidedPhase,
): Promise<Payment> {
  if (read.phase.kind !== "OPEN" || read.final) return read;
  const row = await deps.store.claimPhase(scope, read.paymentId, phase, read.version);
  if (row !== undefined && isSamePhase(row.phase, phase)) return row;
  throw new Refusal("ETAG_MISMATCH");
}
