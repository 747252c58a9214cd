import {
  CancellationScope,
  ChildWorkflowFailure,
  executeChild,
  patched,
  sleep,
  TemporalFailure,
} from "@temporalio/workflow";
import {
  FRAUD_CHECK_WORKFLOW,
  FRAUD_TASK_QUEUE,
  type FraudCheckInput,
  type FraudCheckResult,
} from "#services/fraud/contract.ts";
import type { PaymentWorkflowInput } from "../contract.ts";
import { keysOf } from "../domain/payment.ts";
import type { PaymentState } from "./state.ts";
import { fraudSubject, type Meet, type PaymentSteps } from "./steps.ts";
import { UNDO_LEAVES_CHILD } from "./versions.ts";

/**
 * Longest pause between two looks at the stored decision, in milliseconds. Each look costs six events of history, and a
 * review may take seven days: with pauses that double up to this they stay below two hundred.
 */
const POLL_MAX_MS = 12 * 3_600_000;

/** What the saga needs to know of a fraud check. */
export type FraudVerdict = "PASS" | "FAIL" | "EXPIRED";

/**
 * Checks the payment, in a child workflow or inline with a child only for a review. Whichever way, the verdict is the
 * one Fraud stored under the check's id, so that a repeat after a lost task cannot end otherwise.
 */
export async function checkFraud(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
  meet?: Meet,
): Promise<FraudVerdict> {
  if (input.policy.fraudMode === "inline") {
    const { decision, createTimeMs } = await steps.evaluate(meet);
    if (decision !== "REVIEW") return decision;
    state.reviewStartMs ??= createTimeMs;
  }
  try {
    return (await untilCancelled(checkInChild(input))).decision;
  } catch (error) {
    if (!childIsMissing(error)) throw error;
    // A child of an earlier run is still there, or was ended by an operator: the stored decision is what counts.
    return awaitStoredDecision(input, steps, state);
  }
}

function checkInChild(input: PaymentWorkflowInput): Promise<FraudCheckResult> {
  const { mode, ...stepDurations } = input.policy.steps;
  const child: FraudCheckInput = {
    ...fraudSubject(input),
    parentWorkflowId: keysOf.workflow(input.paymentId),
    policy: {
      reviewTimeoutMs: input.policy.reviewTimeoutMs,
      reviewExpiryMs: input.policy.reviewExpiryMs,
      pollMs: input.policy.decisionPollMs,
      stepsMode: mode,
      stepDurations,
    },
  };
  return executeChild<(input: FraudCheckInput) => Promise<FraudCheckResult>>(FRAUD_CHECK_WORKFLOW, {
    workflowId: keysOf.fraudWorkflow(input.paymentId),
    taskQueue: FRAUD_TASK_QUEUE,
    workflowIdReusePolicy: "ALLOW_DUPLICATE",
    staticSummary: `fraud check of payment ${input.paymentId}`,
    args: [child],
  });
}

/**
 * The child's answer, or the cancellation as soon as it is asked for. A child confirms its end only through Fraud's worker, and
 * while that is down the payer's money would stay held. A check that is still made meets the tombstone of its release.
 */
function untilCancelled<T>(child: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  child.then(end, end);
  const cancelled = CancellationScope.current().cancelRequested.catch((error: unknown) => {
    if (over || !patched(UNDO_LEAVES_CHILD)) return child;
    throw error;
  });
  return Promise.race([child, cancelled]);
}

function childIsMissing(error: unknown): boolean {
  // A child that only an operator cancelled is gone like any other.
  if (CancellationScope.current().consideredCancelled) return false;
  if (error instanceof ChildWorkflowFailure) return true;
  return error instanceof TemporalFailure && error.name === "WorkflowExecutionAlreadyStartedError";
}

async function awaitStoredDecision(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
): Promise<FraudVerdict> {
  const { createTimeMs } = await steps.evaluate();
  let pauseMs = input.policy.decisionPollMs;
  for (;;) {
    const { decision } = await steps.storedDecision();
    if (decision !== "REVIEW") return decision;
    state.reviewStartMs ??= createTimeMs;
    if (Date.now() >= createTimeMs + input.policy.reviewExpiryMs) return "EXPIRED";
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, POLL_MAX_MS);
  }
}
