import { checkEtag } from "#kit/etag.ts";
import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { etagOf, isSamePhase, type Payment } from "../domain/payment.ts";
import { whatNext } from "../domain/what-next.ts";
import { claimVersion } from "./claim-version.ts";
import { decidePhase } from "./decide-phase.ts";
import type { PaymentDeps } from "./deps.ts";
import { mustFind, waitFor } from "./wait-for.ts";

/** How long Capture waits for the final row, in milliseconds. */
const CAPTURE_WAIT_MS = 20_000;

/**
 * Settles a payment that waits for Capture, in whole or in part. The phase carries the request's id, so that exactly one
 * capture wins and a repeat of it is recognised. With an etag it is written here first, on exactly that version. Fails
 * with NOT_CAPTURABLE, CAPTURE_EXCEEDS_AUTHORIZED, CURRENCY_MISMATCH and ETAG_MISMATCH.
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
  const { paymentId, requestId, etag = "" } = request;
  let payment = await mustFind(deps, scope, paymentId);
  const capture = { kind: "CAPTURING", requestId, amount: 0n } as const;
  // What this very request has decided is no change that its caller should have read.
  if (!isSamePhase(payment.phase, capture)) checkEtag(etag, etagOf(payment));
  const phase = { ...capture, amount: captureAmount(payment, request.amount) };
  if (payment.phase.kind === "OPEN" && payment.status !== "REQUIRES_CAPTURE") {
    throw notCapturable(payment);
  }
  if (etag !== "") payment = await claimVersion(deps, scope, payment, phase);
  if (!payment.final && (payment.phase.kind === "OPEN" || isSamePhase(payment.phase, phase))) {
    await deps.workflows.capture(paymentId, phase, CAPTURE_WAIT_MS).catch((error) => {
      deps.log.warn({ err: error, paymentId }, "capture did not reach the workflow");
    });
    await decidePhase(deps, scope, paymentId, phase);
  }
  const settled = await waitFor(deps, scope, paymentId, {
    until: "COMPLETED",
    timeoutMs: Math.max(1, deadlineMs - Date.now()),
  });
  if (isSamePhase(settled.phase, phase)) return settled;
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

function notCapturable(payment: Payment): Refusal {
  return new Refusal("NOT_CAPTURABLE", {
    message: `payment ${payment.paymentId} is ${payment.status} and cannot be captured: ${whatNext(payment.status)}`,
    metadata: { payment_id: payment.paymentId, status: payment.status },
  });
}
