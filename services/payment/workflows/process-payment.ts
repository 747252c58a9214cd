import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  log,
  patched,
  TemporalFailure,
} from "@temporalio/workflow";
import { Saga } from "#kit/workflow/saga.ts";
import type { PaymentOutcome, PaymentWorkflowInput, VoidOutcome } from "../contract.ts";
import { keysOf } from "../domain/payment.ts";
import { authorizeAndCheck } from "./authorize.ts";
import { handleMessages, recordCallback } from "./handlers.ts";
import { noticeOf } from "./notice.ts";
import { initialState, type PaymentState } from "./state.ts";
import { type PaymentSteps, paymentSteps } from "./steps.ts";
import { Decided, type DecidedPhaseText, goOnIfOpen, Stopped } from "./stopped.ts";
import { UNKNOWN_GOES_ON } from "./versions.ts";

/** What the saga does next: the branch a phase stands for. */
type Branch =
  | { readonly kind: "settle"; readonly amount: string; readonly requestId: string }
  | { readonly kind: "undo"; readonly reason: string; readonly message: string }
  | { readonly kind: "decline"; readonly reason: string; readonly message: string };

type Capturing = Extract<VoidOutcome, { outcome: "CAPTURING" }>;

/**
 * Takes one payment to its one end. Which end is decided by the phase on the row, not here: this function proposes
 * (settle, undo) and follows the answer, so any run of it, first or tenth, ends the same.
 */
export async function PaymentWorkflow(input: PaymentWorkflowInput): Promise<PaymentOutcome> {
  const state = initialState();
  const steps = paymentSteps(input);
  const saga = new Saga<Capturing>();
  const forward = new CancellationScope();
  for (const callback of input.resume?.callbacks ?? []) recordCallback(state, callback);
  handleMessages(state, forward, keysOf.fraudCheck(input.paymentId));

  let branch = await firstBranch(input, steps, state, saga, forward);
  while (state.outcome === undefined) {
    branch = await CancellationScope.nonCancellable(() => follow(branch, steps, state, saga));
  }
  const outcome = state.outcome;
  await CancellationScope.nonCancellable(() => tellPayer(input, steps, state, outcome));
  await condition(allHandlersFinished);
  return outcome;
}

/** Runs the steps up to the decision; a payment that was decided before goes straight to its branch. */
async function firstBranch(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
  saga: Saga<Capturing>,
  forward: CancellationScope,
): Promise<Branch> {
  const undoing = { reason: "CANCELLED" };
  try {
    goOnIfOpen(input.resume?.phase);
    return await forward.run(() => takeSteps(input, steps, state, saga, undoing));
  } catch (error) {
    if (error instanceof Decided) return branchOf(error.phase, steps, saga);
    const stop = stopOf(error);
    undoing.reason = stop.reason;
    return { kind: "undo", ...stop };
  }
}

/** What follows from a phase that the row has already. */
function branchOf(phase: DecidedPhaseText, steps: PaymentSteps, saga: Saga<Capturing>): Branch {
  if (phase.kind === "CAPTURING")
    return { kind: "settle", amount: phase.amount, requestId: phase.requestId };
  registerUndos(steps, saga, { reason: phase.reason });
  return { kind: "undo", reason: phase.reason, message: "" };
}

async function takeSteps(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
  saga: Saga<Capturing>,
  undoing: { reason: string },
): Promise<Branch> {
  // Every undo is registered before its step: a step that timed out may have taken effect.
  registerUndos(steps, saga, undoing);
  state.step = "validate-account";
  const hold = await steps.hold();
  if (hold.outcome === "DECLINED") {
    // A stored decline held nothing and will never hold: there is nothing to undo.
    return { kind: "decline", reason: hold.reason, message: hold.message };
  }
  state.step = "debit-account";
  await authorizeAndCheck(input, steps, state);
  if (input.captureMode === "MANUAL") return awaitCapture(input, steps, state);
  return { kind: "settle", amount: input.amount.minorUnits, requestId: "" };
}

/** Newest first when unwound: void, then the hold, then the fraud tally. */
function registerUndos(
  steps: PaymentSteps,
  saga: Saga<Capturing>,
  undoing: { reason: string },
): void {
  saga.before("check", async () => void (await steps.releaseCheck()));
  saga.before("hold", () => giveHoldBack(steps));
  saga.before("authorize", async () => {
    const answer = await steps.voidAuthorization(undoing.reason);
    if (answer.outcome === "CAPTURING") return answer;
    undoing.reason = answer.reason;
    return undefined;
  });
}

/**
 * The provider keeps nothing by now, so the payer must lose nothing. A hold that was captured all the same, because the
 * answer of an earlier try was lost, is no hold any more: its posting is reversed.
 */
async function giveHoldBack(steps: PaymentSteps): Promise<undefined> {
  const { outcome } = await steps.release();
  if (outcome === "ALREADY_CAPTURED" && patched(UNKNOWN_GOES_ON)) await steps.reverseCapture();
}

async function awaitCapture(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
): Promise<Branch> {
  state.step = "await-capture";
  const { captureStartMs, phase } = await steps.park(
    "REQUIRES_CAPTURE",
    "CAPTURE",
    "authorised, waits for Capture",
  );
  goOnIfOpen(phase);
  const deadline = (captureStartMs ?? Date.now()) + input.policy.captureExpiryMs;
  await condition(() => state.capture !== undefined, Math.max(1, deadline - Date.now()));
  if (state.capture === undefined) throw new Stopped("CAPTURE_EXPIRED", "not captured in time");
  return { kind: "settle", ...state.capture };
}

/** Goes one branch to its end, or to the other branch when the row says so. */
async function follow(
  branch: Branch,
  steps: PaymentSteps,
  state: PaymentState,
  saga: Saga<Capturing>,
): Promise<Branch> {
  if (branch.kind === "settle") return settle(branch, steps, state, saga);
  if (branch.kind === "undo") {
    state.step = "compensate";
    const capturing = await saga.unwind();
    if (capturing) {
      return { kind: "settle", amount: capturing.amount, requestId: capturing.requestId };
    }
  }
  state.outcome = await steps.fail(branch.reason, branch.message, [...state.eventIds]);
  return branch;
}

async function settle(
  branch: Extract<Branch, { kind: "settle" }>,
  steps: PaymentSteps,
  state: PaymentState,
  saga: Saga<Capturing>,
): Promise<Branch> {
  state.step = "capture";
  const answer = await steps.settle(branch, [...state.eventIds]);
  switch (answer.outcome) {
    case "SUCCEEDED":
      state.outcome = {
        status: "SUCCEEDED",
        reason: "",
        captured: answer.captured ?? branch.amount,
      };
      return branch;
    case "UNDOING":
      registerUndos(steps, saga, { reason: answer.reason });
      return { kind: "undo", reason: answer.reason, message: "" };
    case "DECLINED":
      // The provider took nothing and never will, so only our own side is undone.
      log.info("the provider declined the capture");
      await giveHoldBack(steps);
      await steps.releaseCheck();
      return {
        kind: "decline",
        reason: "GATEWAY_DECLINED",
        message: "the provider declined the capture",
      };
  }
}

function stopOf(error: unknown): { readonly reason: string; readonly message: string } {
  if (error instanceof Stopped) return { reason: error.reason, message: error.message };
  if (isCancellation(error)) return { reason: "CANCELLED", message: "cancelled on request" };
  // A step or child was refused for good; any other error is a bug, and the task waits for its fix.
  if (error instanceof TemporalFailure) return { reason: "STEP_FAILED", message: error.message };
  throw error;
}

/** Money is done by now; a message that cannot be stored is the sweeper's, and undoes nothing. */
async function tellPayer(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
  outcome: PaymentOutcome,
): Promise<void> {
  state.step = "notify-user";
  const { notice, event } = noticeOf(input, outcome);
  try {
    await steps.notify(notice, event);
  } catch {
    log.warn("the message is left to the sweeper", {
      notificationId: keysOf.notification(input.paymentId, event),
    });
  }
}
