import type { PaymentActivities, PaymentOutcome } from "../contract.ts";
import { type Failure, type Payment, phaseText } from "../domain/payment.ts";
import { paymentReasons } from "../reasons.ts";
import type { PaymentActivityDeps } from "./deps.ts";
import { authorize, giveUpAlive, queryGateway, reconcile, voidAuthorization } from "./gateway.ts";
import { refund } from "./refund.ts";
import { settle } from "./settle.ts";

export type { PaymentActivityDeps } from "./deps.ts";

/** Payment's own activities, for the worker on `payment-tasks`. */
export function createPaymentActivities(deps: PaymentActivityDeps): PaymentActivities {
  const { book } = deps;
  return {
    "gateway::authorize": (input) => authorize(deps, input),
    "gateway::query": (input) => queryGateway(deps, input),
    "gateway::void": (input) => voidAuthorization(deps, input),
    "gateway::reconcile": (input) => reconcile(deps, input),
    "payment::settle": (input) => settle(deps, input),
    "payment::refund": (input) => refund(deps, input),
    async "payment::park"(input) {
      const waitsForCapture = input.status === "REQUIRES_CAPTURE";
      const before = waitsForCapture ? await book.find(input) : undefined;
      const payment = await book.park(input, {
        status: input.status,
        step: input.step,
        message: input.message,
        ...(waitsForCapture ? { captureStartTime: before?.captureStartTime ?? new Date() } : {}),
      });
      if (input.status === "NEEDS_REVIEW")
        await book.openTask(input, "FRAUD_REVIEW", input.message);
      const captureStartMs = payment.captureStartTime?.getTime() ?? null;
      return { captureStartMs, phase: phaseText(payment.phase) };
    },
    async "payment::fail"(input) {
      const payment = await book.find(input);
      // A callback that came between the void and here tells of an authorisation that the void did not meet. It is
      // recorded below, so no reconcile will look at it.
      if (input.eventIds.length > 0) await giveUpAlive(deps, input.tenant, input.paymentId);
      const ended = await book.fail(input, failureOf(payment, input), input.eventIds);
      // Between the look and the write somebody decided otherwise: the end is what was decided.
      if (ended.final) return outcomeOf(ended);
      return outcomeOf(await book.fail(input, failureOf(ended, input), input.eventIds));
    },
    async "payment::notified"({ event, ...ref }) {
      if (event === "succeeded" || event === "failed" || event === "cancelled")
        await book.notified(ref, event);
      return {};
    },
    async "payment::open-task"({ kind, detail, ...ref }) {
      await book.openTask(ref, kind, detail);
      return {};
    },
    async "payment::refund-notified"({ tenant, refundId }) {
      await book.refundNotified(tenant, refundId);
      return {};
    },
  };
}

/** The phase's reason is the one that was decided; the saga's own is only a proposal. */
function failureOf(payment: Payment, proposed: { reason: string; message: string }): Failure {
  const { phase } = payment;
  const reason = phase.kind === "UNDOING" ? phase.reason : proposed.reason;
  const known = new Map(Object.entries(paymentReasons)).get(reason);
  const message =
    reason === proposed.reason && proposed.message !== "" ? proposed.message : known?.message;
  return {
    reason,
    message: message ?? "the payment was undone",
    retryable: known?.retryable ?? false,
  };
}

function outcomeOf(payment: Payment): PaymentOutcome {
  return { status: payment.status, reason: payment.failure?.reason ?? "" };
}
