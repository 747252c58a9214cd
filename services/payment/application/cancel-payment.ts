import { checkEtag } from "#kit/etag.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { etagOf, isSamePhase, type Payment } from "../domain/payment.ts";
import { whatNext } from "../domain/what-next.ts";
import { claimVersion } from "./claim-version.ts";
import { decidePhase } from "./decide-phase.ts";
import type { PaymentDeps } from "./deps.ts";
import { mustFind, waitFor } from "./wait-for.ts";

/** How long Cancel waits for the final row, in milliseconds. */
const CANCEL_WAIT_MS = 20_000;

const CANCELLED = { kind: "UNDOING", reason: "CANCELLED" } as const;

/**
 * Cancels a payment. The running workflow decides first; where none answers, the phase is written here and a workflow
 * started that follows it. CANCELLED, or PROCESSING while the undo goes on. With an etag the phase
 * is written here first, on exactly that version. Fails with NOT_CANCELLABLE, PAYMENT_NOT_FOUND and ETAG_MISMATCH.
 */
export async function cancelPayment(
  deps: PaymentDeps,
  scope: Scope,
  request: { readonly paymentId: string; readonly requestId: string; readonly etag?: string },
): Promise<Payment> {
  const deadlineMs = Date.now() + CANCEL_WAIT_MS;
  const { etag = "" } = request;
  let payment = await mustFind(deps, scope, request.paymentId);
  // What is being cancelled already is what the caller wants, and may be this very call's doing.
  if (!isBeingCancelled(payment)) checkEtag(etag, etagOf(payment));
  if (etag !== "") payment = await claimVersion(deps, scope, payment, CANCELLED);
  if (!payment.final && (payment.phase.kind === "OPEN" || isBeingCancelled(payment))) {
    await askToCancel(deps, payment.paymentId, request.requestId).catch((error) => {
      const { paymentId } = payment;
      deps.log.warn({ err: error, paymentId }, "cancel did not reach the workflow");
    });
    payment = await decidePhase(deps, scope, payment.paymentId, CANCELLED);
  }
  if (isBeingCancelled(payment) && !payment.final) {
    payment = await waitFor(deps, scope, payment.paymentId, {
      until: "COMPLETED",
      timeoutMs: Math.max(1, deadlineMs - Date.now()),
    });
  }
  if (payment.status === "CANCELLED" || isBeingCancelled(payment)) return payment;
  throw new Refusal("NOT_CANCELLABLE", {
    message: `payment ${payment.paymentId} is ${payment.status} and can no longer be cancelled: ${whatNext(payment.status)}`,
    metadata: { payment_id: payment.paymentId, status: payment.status },
  });
}

/** An update that got no answer may have been lost with its task; the signal makes sure that the run does not rest on. */
async function askToCancel(deps: PaymentDeps, paymentId: string, requestId: string): Promise<void> {
  const outcome = await deps.workflows.cancel(paymentId, requestId, CANCEL_WAIT_MS);
  if (outcome === undefined) await deps.workflows.signalCancel(paymentId, requestId);
}

function isBeingCancelled(payment: Payment): boolean {
  return isSamePhase(payment.phase, CANCELLED);
}
