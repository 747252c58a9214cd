import { isCancellation, patched, proxyActivities, sleep } from "@temporalio/workflow";
import { runStep } from "#kit/workflow/step.ts";
import {
  PAYMENT_TASK_QUEUE,
  type PaymentActivities,
  type PaymentWorkflowInput,
} from "../contract.ts";
import type { PaymentPolicy } from "../domain/policy.ts";
import { UNDO_OPENS_TASK, UNKNOWN_GOES_ON } from "./versions.ts";

/** One call of an activity: its name, its owner's queue, a line for people, and its input. */
export interface Call {
  readonly activity: string;
  /** Default is Payment's own queue. */
  readonly taskQueue?: string;
  readonly summary: string;
  readonly args: object;
  /** Regular tries before it fails; default is without limit. */
  readonly attemptsMax?: number;
  /** Runs when the quick local try brought no answer. */
  readonly onSlow?: () => void;
  /** Waited for when the local try is over, before its outcome counts. */
  readonly afterLocal?: () => Promise<void>;
}

/** How the steps of a payment or refund are run. */
export interface Runner {
  /** Runs a step until it is answered, or as often as the call says; a person is told when it fails for a while. */
  run<T>(call: Call): Promise<T>;
  /** Runs an undo: like a step, but no cancellation ends it. */
  undo<T>(call: Call): Promise<T>;
}

/** What the steps are for. */
export interface RunnerSubject {
  readonly tenant: string;
  readonly paymentId: string;
  /** Set for a refund: its tasks are its own, not the payment's. */
  readonly refundId?: string;
  readonly policy: PaymentPolicy;
}

/** Runs steps by the policy. `onSlow` runs once, when the first of them leaves the fast path. */
export function stepRunner(subject: RunnerSubject, onSlow: () => void = () => {}): Runner {
  const { policy } = subject;
  const showSlow = once(onSlow);
  const attempt = <T>(call: Call): Promise<T> =>
    runStep<T>(policy.steps, { taskQueue: PAYMENT_TASK_QUEUE, ...call }, call.args, {
      onFallback: () => {
        showSlow();
        call.onSlow?.();
      },
      ...(call.afterLocal && { afterLocal: call.afterLocal }),
    });
  const some = { attemptsMax: policy.undoAttemptsBeforeTask };
  const tell = (kind: string, call: Call, error: unknown): Promise<void> =>
    openTask(attempt, subject, kind, `${call.activity} keeps failing and is repeated: ${error}`);
  return {
    async run<T>(call: Call): Promise<T> {
      try {
        return await attempt<T>({ ...some, ...call });
      } catch (error) {
        const gaveUp = call.attemptsMax !== undefined || isCancellation(error);
        // Runs that began before this patch ended here with STEP_FAILED.
        if (gaveUp || !patched(UNKNOWN_GOES_ON)) throw error;
        await tell("STEP_STUCK", call, error);
      }
      return untilAnswered(() => attempt<T>(call), policy.steps.backoffMaxMs);
    },
    async undo<T>(call: Call): Promise<T> {
      if (!patched(UNDO_OPENS_TASK)) return attempt<T>(call);
      try {
        return await attempt<T>({ ...call, ...some });
      } catch (error) {
        await tell("COMPENSATION_FAILED", call, error);
      }
      return untilAnswered(() => attempt<T>(call), policy.steps.backoffMaxMs);
    },
  };
}

/** Best effort: the step goes on whether or not a person could be told. */
async function openTask(
  attempt: (call: Call) => Promise<unknown>,
  { tenant, paymentId, refundId }: RunnerSubject,
  kind: string,
  detail: string,
): Promise<void> {
  const args = { tenant, paymentId, ...(refundId && { refundId }), kind, detail };
  const summary = "a person must look";
  const call = { activity: "payment::open-task", summary, args, attemptsMax: 3 };
  await attempt(call).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
  });
}

/** Even a refusal for good does not end a step: a person may mend what refuses it. Only a cancellation does. */
async function untilAnswered<T>(attempt: () => Promise<T>, pauseMs: number): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (isCancellation(error)) throw error;
      await sleep(pauseMs);
    }
  }
}

/** Nobody waits for this write: it only tells those who look that the payment takes longer. */
export function parkInBackground({ tenant, paymentId, policy }: PaymentWorkflowInput): void {
  const activities = proxyActivities<Pick<PaymentActivities, "payment::park">>({
    taskQueue: PAYMENT_TASK_QUEUE,
    startToCloseTimeout: policy.steps.startToCloseMs,
    retry: { maximumAttempts: 3 },
    summary: "the payment takes longer",
  });
  const message = "a step is repeated until it answers";
  const change = { tenant, paymentId, status: "PROCESSING", step: "GATEWAY", message } as const;
  activities["payment::park"](change).catch(() => undefined);
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
