import { defineQuery, defineSignal } from "@temporalio/workflow";
import type { MoneyText } from "#kit/pure/money.ts";

/** Task queue of `FraudCheckWorkflow` and of Fraud's activities. */
export const FRAUD_TASK_QUEUE = "fraud-check-tasks";

/** Type name of the workflow that every payment in fraud mode `child` starts. */
export const FRAUD_CHECK_WORKFLOW = "FraudCheckWorkflow";

/** Id of a payment's fraud workflow; the same for every run, so that a restarted saga finds it. */
export function fraudCheckWorkflowId(paymentId: string): string {
  return `fraud-check-${paymentId}`;
}

/** Key of a payment's check at Fraud; the same for every attempt, so that rules run once. */
export function fraudCheckId(paymentId: string): string {
  return `${paymentId}:fraud-check`;
}

/** How long a check may wait for a person. All durations in milliseconds, counted from the check's create time. */
export interface FraudCheckPolicy {
  /** When a decision is overdue; the workflow asks the store again then. Default 10 min. */
  readonly reviewTimeoutMs: number;
  /** When the workflow stops waiting and answers EXPIRED. Default 7 days. */
  readonly reviewExpiryMs: number;
  /** First pause between two looks at the store after `reviewTimeoutMs`; it doubles each time. Default 10 min. */
  readonly pollMs: number;
  /** `regular` leaves out the local tries, so that another worker of the queue may run the steps. Default local-first. */
  readonly stepsMode?: "local-first" | "regular";
  /** How long steps take, see `StepPolicy` in kit/workflow. Default `FRAUD_STEP_DURATIONS`, also for what is left out. */
  readonly stepDurations?: Partial<FraudStepDurations>;
}

/** Durations and tries of the check's steps, in milliseconds. */
export interface FraudStepDurations {
  readonly localTimeoutMs: number;
  readonly localAttemptsMax: number;
  readonly startToCloseMs: number;
  readonly backoffMaxMs: number;
}

/** What a check runs with when whoever starts it says nothing, as checks begun before there was a choice. */
export const FRAUD_STEP_DURATIONS: FraudStepDurations = {
  localTimeoutMs: 2_000,
  localAttemptsMax: 3,
  startToCloseMs: 10_000,
  backoffMaxMs: 10_000,
};

/** The policy of DESIGN section 6. */
export const FRAUD_CHECK_POLICY: FraudCheckPolicy = {
  reviewTimeoutMs: 600_000,
  reviewExpiryMs: 604_800_000,
  pollMs: 600_000,
};

/** What is to be checked; also the input of `fraud::evaluate`. */
export interface FraudSubject {
  readonly tenant: string;
  /** Key of the check; see `fraudCheckId`. */
  readonly checkId: string;
  readonly paymentId: string;
  readonly accountId: string;
  readonly amount: MoneyText;
}

/** Input of `FraudCheckWorkflow`. */
export interface FraudCheckInput extends FraudSubject {
  /** Workflow that gets the signal `fraud-review` when a person must decide; absent means nobody. */
  readonly parentWorkflowId?: string;
  readonly policy: FraudCheckPolicy;
}

/** Result of `FraudCheckWorkflow`. Only PASS lets a payment settle. */
export interface FraudCheckResult {
  /** EXPIRED: no person decided within `reviewExpiryMs`. */
  readonly decision: "PASS" | "FAIL" | "EXPIRED";
  /** The rules that spoke; see `Rule` in `domain/rules.ts`. */
  readonly rules: readonly string[];
  readonly checkId: string;
}

/** Payload of the signal `fraud-check`. */
export interface FraudVerdict {
  /** What a person decided. Only a hint: see `fraudCheckSignal`. */
  readonly isValid: boolean;
}

/**
 * Tells the workflow that a person decided. It only wakes the workflow up: what counts is the decision stored by
 * Fraud, so a forged or stale signal cannot pass a payment. Without a boolean `isValid` it is ignored.
 */
export const fraudCheckSignal = defineSignal<[FraudVerdict]>("fraud-check");

/** Payload of the signal `fraud-review`. */
export interface FraudReview {
  readonly checkId: string;
  /** When the check was made, in epoch milliseconds: the parent's review deadline counts from it. */
  readonly createTimeMs: number;
}

/** Sent to `parentWorkflowId` once per run when the rules ask for a person. Best effort, may come more than once. */
export const fraudReviewSignal = defineSignal<[FraudReview]>("fraud-review");

/** Answer of the query `status`. */
export interface FraudCheckStatus {
  readonly state: "EVALUATING" | "IN_REVIEW" | "DONE";
  /** Set when DONE. */
  readonly result?: FraudCheckResult;
}

/** Where the check is. */
export const fraudStatusQuery = defineQuery<FraudCheckStatus>("status");

/** What Fraud stored for a check. */
export type StoredDecision = "PASS" | "FAIL" | "REVIEW";

/** Answer of `fraud::evaluate`: the stored check, the same for every repeat until a person decides. */
export interface EvaluateOutcome {
  readonly decision: StoredDecision;
  readonly rules: readonly string[];
  /** When the check was made, in epoch milliseconds. */
  readonly createTimeMs: number;
}

/** One check of one tenant. */
export interface CheckRef {
  readonly tenant: string;
  readonly checkId: string;
}

/**
 * Fraud's activities, each one call to FraudService; any worker may register them. All can be repeated without harm.
 * Failures carry the reason as type: CHECK_ID_REUSED and CHECK_NOT_FOUND are not retried, an unknown outcome is.
 */
export interface FraudActivities {
  /** Runs the rules once per check id and answers what is stored. */
  "fraud::evaluate"(input: FraudSubject): Promise<EvaluateOutcome>;
  /** Gives the check's share of the tally back; an unseen check can never pass afterwards. */
  "fraud::release"(input: CheckRef): Promise<Record<string, never>>;
  /** Reads what is stored; fails with CHECK_NOT_FOUND. */
  "fraud::get-decision"(
    input: CheckRef,
  ): Promise<{ readonly decision: StoredDecision; readonly rules: readonly string[] }>;
}
