import { checkEtag } from "#kit/etag.ts";
import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { etagOf, type Payment } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { mustFind, waitFor } from "./wait-for.ts";

/** How long Capture waits for the final row, in milliseconds. */
const CAPTURE_WAIT_MS = 20_000;

/**
 * Settles a payment that waits for Capture, in whole or in part. The phase carries the request's id, so that exactly one
 * capture wins and a repeat of it is recognised. Fails with NOT_CAPTURABLE, CAPTURE_EXCEEDS_AUTHORIZED, CURRENCY_MISMATCH,
 * and ETAG_MISMATCH when an etag is given and the payment had changed when the call came.
 */
export async function capturePayment(
  deps: PaymentDeps,
  scope: Scope,
  request: {
    readonly paymentId: string;
    readonly requestId: string;
    readonly amount?: Money;
    readonly etag?: string;
  },
): Promise<Payment> {
  const deadlineMs = Date.now() + CAPTURE_WAIT_MS;
  const payment = await mustFind(deps, scope, request.paymentId);
  if (payment.phase.kind === "OPEN") checkEtag(request.etag ?? "", etagOf(payment));
  const amount = captureAmount(payment, request.amount);
  if (payment.phase.kind === "OPEN") {
    if (payment.status !== "REQUIRES_CAPTURE") throw notCapturable(payment);
    const capture = { requestId: request.requestId, amount };
    await deps.workflows.capture(payment.paymentId, capture, CAPTURE_WAIT_MS).catch((error) => {
      deps.log.warn(
        { err: error, paymentId: payment.paymentId },
        "capture did not reach the workflow",
      );
    });
    await decide(deps, scope, payment.paymentId, capture);
  }
  const settled = await waitFor(deps, scope, payment.paymentId, {
    until: "COMPLETED",
    timeoutMs: Math.max(1, deadlineMs - Date.now()),
  });
  const { phase } = settled;
  if (phase.kind === "CAPTURING" && phase.requestId === request.requestId) return settled;
  throw notCapturable(settled);
}

function captureAmount(payment: Payment, amount: Money | undefined): bigint {
  if (amount === undefined) return payment.amount;
  if (amount.currencyCode !== payment.currencyCode) {
    throw new Refusal("CURRENCY_MISMATCH", {
      message: `the payment is in ${payment.currencyCode}, not ${amount.currencyCode}`,
      fields: [{ field: "amount.currency_code", description: `must be ${payment.currencyCode}` }],
    });
  }
  if (amount.minorUnits > payment.amount) {
    throw new Refusal("CAPTURE_EXCEEDS_AUTHORIZED", {
      message: `at most ${payment.amount} ${payment.currencyCode} minor units were authorised`,
      metadata: { authorized: payment.amount.toString() },
    });
  }
  return amount.minorUnits;
}

/** Writes the phase here when the workflow is gone or silent, and starts one that follows it. */
async function decide(
  deps: PaymentDeps,
  scope: Scope,
  paymentId: string,
  capture: { readonly requestId: string; readonly amount: bigint },
): Promise<void> {
  const payment = await mustFind(deps, scope, paymentId);
  if (payment.phase.kind !== "OPEN" || payment.final) return;
  const claimed = await deps.store.claimPhase(scope, paymentId, { kind: "CAPTURING", ...capture });
  await deps.workflows.startPayment(claimed ?? payment, "again").catch((error) => {
    deps.log.warn({ err: error, paymentId }, "the capture is left to the sweeper");
  });
}

function notCapturable(payment: Payment): Refusal {
  return new Refusal("NOT_CAPTURABLE", {
    message: `payment ${payment.paymentId} is ${payment.status}; only one in REQUIRES_CAPTURE can be captured, once`,
    metadata: { payment_id: payment.paymentId, status: payment.status },
  });
}
