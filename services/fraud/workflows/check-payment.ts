import {
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
} from "@temporalio/workflow";
import { runStep, type StepPolicy } from "#kit/workflow/step.ts";
import {
  type EvaluateOutcome,
  FRAUD_STEP_DURATIONS,
  FRAUD_TASK_QUEUE,
  type FraudActivities,
  type FraudCheckInput,
  type FraudCheckPolicy,
  type FraudCheckResult,
  type FraudCheckStatus,
  type FraudVerdict,
  fraudCheckSignal,
  fraudReviewSignal,
  fraudStatusQuery,
} from "../contract.ts";

/** Longest pause between two looks at the store, in milliseconds, however long a review takes. */
const POLL_MAX_MS = 24 * 3_600_000;

/**
 * Checks one payment: PASS and FAIL of the rules are answered at once; REVIEW waits for a person. A signal only wakes
 * the workflow up; what counts is the decision Fraud has stored, so a restarted or misled workflow ends as the
 * stored decision says. A cancelled one ends as cancelled, with nothing to undo: the saga releases the check.
 */
export async function FraudCheckWorkflow(input: FraudCheckInput): Promise<FraudCheckResult> {
  let status: FraudCheckStatus = { state: "EVALUATING" };
  const wakeUp = { rung: false };
  setHandler(fraudStatusQuery, () => status);
  setHandler(fraudCheckSignal, (verdict: unknown) => {
    if (isVerdict(verdict)) wakeUp.rung = true;
  });

  const check = await evaluate(input);
  if (check.decision === "REVIEW") {
    status = { state: "IN_REVIEW" };
    await tellParent(input, check.createTimeMs);
  }
  const result: FraudCheckResult =
    check.decision === "REVIEW"
      ? await awaitDecision(input, check, wakeUp)
      : { decision: check.decision, rules: check.rules, checkId: input.checkId };
  status = { state: "DONE", result };
  return result;
}

async function awaitDecision(
  input: FraudCheckInput,
  check: EvaluateOutcome,
  wakeUp: { rung: boolean },
): Promise<FraudCheckResult> {
  const { reviewTimeoutMs, reviewExpiryMs, pollMs } = input.policy;
  const expiryMs = check.createTimeMs + reviewExpiryMs;
  let lookMs = check.createTimeMs + reviewTimeoutMs;
  let pauseMs = pollMs;
  for (;;) {
    const waitMs = Math.min(lookMs, expiryMs) - Date.now();
    if (waitMs > 0) await condition(() => wakeUp.rung, waitMs);
    // Lowered before the look: a signal that comes during it means another look.
    wakeUp.rung = false;
    const stored = await readDecision(input);
    const { decision, rules } = stored;
    if (decision !== "REVIEW") return { decision, rules, checkId: input.checkId };
    if (Date.now() >= expiryMs) return { decision: "EXPIRED", rules, checkId: input.checkId };
    if (Date.now() >= lookMs) {
      lookMs = Date.now() + pauseMs;
      pauseMs = Math.min(pauseMs * 2, POLL_MAX_MS);
    }
  }
}

/** Best effort: the saga also sees that the child is still running. */
async function tellParent(input: FraudCheckInput, createTimeMs: number): Promise<void> {
  if (input.parentWorkflowId === undefined) return;
  try {
    const parent = getExternalWorkflowHandle(input.parentWorkflowId);
    await parent.signal(fraudReviewSignal, { checkId: input.checkId, createTimeMs });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

function evaluate(input: FraudCheckInput): Promise<EvaluateOutcome> {
  const { tenant, checkId, paymentId, accountId, amount } = input;
  const subject = { tenant, checkId, paymentId, accountId, amount };
  return step(input.policy, "fraud::evaluate", subject, `check payment ${paymentId}`);
}

function readDecision(
  input: FraudCheckInput,
): Promise<Awaited<ReturnType<FraudActivities["fraud::get-decision"]>>> {
  const { tenant, checkId } = input;
  return step(input.policy, "fraud::get-decision", { tenant, checkId }, `read check ${checkId}`);
}

function step<T>(
  { stepsMode, stepDurations }: FraudCheckPolicy,
  activity: keyof FraudActivities,
  input: unknown,
  summary: string,
): Promise<T> {
  const policy: StepPolicy = {
    mode: stepsMode ?? "local-first",
    ...FRAUD_STEP_DURATIONS,
    ...stepDurations,
  };
  return runStep<T>(policy, { activity, taskQueue: FRAUD_TASK_QUEUE, summary }, input);
}

/** A signal without a boolean is no decision, and above all no decline. */
function isVerdict(value: unknown): value is FraudVerdict {
  return (
    typeof value === "object" &&
    value !== null &&
    "isValid" in value &&
    typeof value.isValid === "boolean"
  );
}
