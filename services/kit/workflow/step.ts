import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  TimeoutFailure,
} from "@temporalio/workflow";

/** How steps run; a part of a saga's policy, filled from configuration and shortened in tests. */
export interface StepPolicy {
  /**
   * `local-first`: in the saga's own worker within the running workflow task, which costs one event; then, when that
   * does not answer, as a regular activity on the owner's task queue. `regular`: only the latter.
   */
  readonly mode: "local-first" | "regular";
  /** Time for all local tries of a step, in milliseconds. Four steps must fit a task's 8 s. Default 2000. */
  readonly localTimeoutMs: number;
  /** Local tries. Default 3. */
  readonly localAttemptsMax: number;
  /** Time for one regular try, in milliseconds. Default 10 s. */
  readonly startToCloseMs: number;
  /** Longest pause between regular tries, in milliseconds. Default 10 s. */
  readonly backoffMaxMs: number;
}

/** One step of a saga. */
export interface Step {
  /** Registered name of the activity. */
  readonly activity: string;
  /** Queue of the step's owner, for the regular activity. */
  readonly taskQueue: string;
  /** One line for people who look at the Temporal UI, for example `hold 12.50 USD on alice`. */
  readonly summary: string;
  /** Regular tries before the step fails; default is without limit, ended only by cancellation. */
  readonly attemptsMax?: number;
}

/** What else happens around a step. */
export interface StepHooks {
  /** Runs once the step leaves the fast path. */
  readonly onFallback?: () => void;
  /** Waited for when the local try is over, before its outcome counts; called once also when there is none. */
  readonly afterLocal?: () => Promise<void>;
}

/**
 * Runs one step. Its activity answers business outcomes as values; what it throws is an unknown outcome and is
 * repeated with the same key until it is known, or until the surrounding scope is cancelled.
 */
export async function runStep<T>(
  policy: StepPolicy,
  step: Step,
  input: unknown,
  { onFallback, afterLocal }: StepHooks = {},
): Promise<T> {
  const cancelled = CancellationScope.current().consideredCancelled;
  if (cancelled || policy.mode === "regular") void afterLocal?.();
  if (cancelled) throw new CancelledFailure("cancelled");
  if (policy.mode === "local-first") {
    try {
      const local = runLocal<T>(policy, step, input);
      if (afterLocal) await local.then(afterLocal, afterLocal);
      return await local;
    } catch (error) {
      if (!fallsBack(error)) throw error;
      onFallback?.();
    }
  }
  return runRegular<T>(policy, step, input);
}

type Activities<T> = Record<string, (input: unknown) => Promise<T>>;

/**
 * A local try cannot be cancelled: it is over within its two seconds anyway, and the SDK's state machine (1.23) fails
 * the task when a cancellation meets a local activity that resolves in the same activation.
 */
async function runLocal<T>(policy: StepPolicy, step: Step, input: unknown): Promise<T> {
  const activities = proxyLocalActivities<Activities<T>>({
    scheduleToCloseTimeout: policy.localTimeoutMs,
    startToCloseTimeout: policy.localTimeoutMs,
    summary: step.summary,
    retry: {
      maximumAttempts: policy.localAttemptsMax,
      initialInterval: 50,
      backoffCoefficient: 4,
      maximumInterval: 1_000,
    },
  });
  return CancellationScope.nonCancellable(() => call(activities, step, input));
}

async function runRegular<T>(policy: StepPolicy, step: Step, input: unknown): Promise<T> {
  const activities = proxyActivities<Activities<T>>({
    taskQueue: step.taskQueue,
    startToCloseTimeout: policy.startToCloseMs,
    summary: step.summary,
    retry: {
      initialInterval: Math.min(1_000, policy.backoffMaxMs),
      backoffCoefficient: 2,
      maximumInterval: policy.backoffMaxMs,
      ...(step.attemptsMax === undefined ? {} : { maximumAttempts: step.attemptsMax }),
    },
  });
  return call(activities, step, input);
}

function call<T>(activities: Activities<T>, step: Step, input: unknown): Promise<T> {
  const activity = activities[step.activity];
  if (activity === undefined) throw new Error(`no activity ${step.activity}`);
  return activity(input);
}

/**
 * A local try that ended without a definite answer goes on as a regular activity; a cancelled one does not. The SDK
 * throws a local activity's failure as it is, and wraps that of a regular one in an ActivityFailure.
 */
function fallsBack(error: unknown): boolean {
  if (isCancellation(error)) return false;
  const failure = error instanceof ActivityFailure ? error.cause : error;
  if (failure instanceof ApplicationFailure) return !failure.nonRetryable;
  return failure instanceof TimeoutFailure;
}
