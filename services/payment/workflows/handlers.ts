import {
  ApplicationFailure,
  type CancellationScope,
  condition,
  log,
  setHandler,
} from "@temporalio/workflow";
import {
  cancelSignal,
  cancelUpdate,
  captureUpdate,
  currentStepQuery,
  fraudReviewSignal,
  type GatewayCallback,
  gatewayCallbackSignal,
  type PaymentOutcome,
  statusQuery,
} from "../contract.ts";
import { isCancelRequest, isCaptureRequest, isGatewayCallback, isReviewOf } from "./requests.ts";
import type { PaymentState } from "./state.ts";

/**
 * Registers everything the outside can say to a running payment. Handlers only write the state; what follows from
 * it is decided by the saga, through the phase on the row. Garbage is logged and dropped: the workflow goes on.
 */
export function handleMessages(
  state: PaymentState,
  forward: CancellationScope,
  fraudCheckId: string,
): void {
  setHandler(currentStepQuery, () => `payment-step::${state.step}`);
  setHandler(statusQuery, () => ({
    status: state.outcome?.status ?? "PROCESSING",
    reason: state.outcome?.reason ?? "",
    step: state.step,
  }));
  setHandler(gatewayCallbackSignal, (callback) => recordCallback(state, callback));
  setHandler(fraudReviewSignal, (review) => {
    if (isReviewOf(review, fraudCheckId)) {
      // A time to come would put the review's deadline off.
      state.reviewStartMs ??= Math.min(review.createTimeMs, Date.now());
    } else log.warn("fraud review signal of no check of this payment was dropped");
  });
  setHandler(cancelSignal, (request) => {
    if (isCancelRequest(request)) requestCancel(state, forward, request);
    else log.warn("cancel signal without a request id was dropped");
  });
  setHandler(
    cancelUpdate,
    (request) => {
      requestCancel(state, forward, request);
      return outcomeOf(state);
    },
    { validator: (request) => assertOpen(state, isCancelRequest(request), "NOT_CANCELLABLE") },
  );
  setHandler(
    captureUpdate,
    (request) => {
      state.capture ??= { requestId: request.requestId, amount: request.amount };
      return outcomeOf(state);
    },
    { validator: (request) => assertOpen(state, isCaptureRequest(request), "NOT_CAPTURABLE") },
  );
}

/** Takes in what the provider said; also that of an earlier run. */
export function recordCallback(state: PaymentState, callback: GatewayCallback): void {
  if (!isGatewayCallback(callback)) {
    log.warn("gateway callback without an event id or a known outcome was dropped");
    return;
  }
  state.eventIds.add(callback.eventId);
  // The first answer counts; a provider that contradicts itself is caught by the settle step and by the audit.
  state.callback ??= callback;
}

function requestCancel(
  state: PaymentState,
  forward: CancellationScope,
  request: { requestId: string },
): void {
  state.cancel ??= { requestId: request.requestId };
  forward.cancel();
}

async function outcomeOf(state: PaymentState): Promise<PaymentOutcome> {
  await condition(() => state.outcome !== undefined);
  return state.outcome ?? { status: "PROCESSING", reason: "" };
}

/** Refusing in the validator writes no event. */
function assertOpen(state: PaymentState, valid: boolean, reason: string): void {
  if (!valid) throw ApplicationFailure.nonRetryable("the request is not valid", "INVALID_FIELD");
  if (state.outcome)
    throw ApplicationFailure.nonRetryable(`the payment is ${state.outcome.status}`, reason);
}
