import { patched, proxyActivities, sleep } from "@temporalio/workflow";
import { runStep } from "#kit/workflow/step.ts";
import {
  PAYMENT_TASK_QUEUE,
  type PaymentActivities,
  type PaymentWorkflowInput,
} from "../contract.ts";
import { UNDO_OPENS_TASK } from "./versions.ts";

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

/** How a payment's steps are run. */
export interface Runner {
  run<T>(call: Call): Promise<T>;
  /** Runs an undo: it never gives up, and tells a person when it has failed for a while. */
  undo<T>(call: Call): Promise<T>;
}

/** Runs steps by the payment's policy, and shows on the row once that the payment left the fast path. */
export function stepRunner(input: PaymentWorkflowInput): Runner {
  const { tenant, paymentId, policy } = input;
  const ref = { tenant, paymentId };
  const showSlow = once(() => parkInBackground(input));
  const run = <T>(call: Call): Promise<T> =>
    runStep<T>(policy.steps, { taskQueue: PAYMENT_TASK_QUEUE, ...call }, call.args, {
      onFallback: () => {
        showSlow();
        call.onSlow?.();
      },
      ...(call.afterLocal && { afterLocal: call.afterLocal }),
    });
  const openTask = async (call: Call, error: unknown): Promise<void> => {
    const detail = `${call.activity} keeps failing and is repeated: ${String(error)}`;
    const args = { ...ref, kind: "COMPENSATION_FAILED", detail };
    const task = {
      activity: "payment::open-task",
      summary: "a person must look",
      args,
      attemptsMax: 3,
    };
    await run(task).catch(() => undefined);
  };
  return {
    run,
    async undo<T>(call: Call): Promise<T> {
      if (!patched(UNDO_OPENS_TASK)) return run<T>(call);
      try {
        return await run<T>({ ...call, attemptsMax: policy.undoAttemptsBeforeTask });
      } catch (error) {
        await openTask(call, error);
      }
      return untilAnswered(() => run<T>(call), policy.steps.backoffMaxMs);
    },
  };
}

/** Even a refusal for good does not end an undo: a person may mend what refuses it. */
async function untilAnswered<T>(attempt: () => Promise<T>, pauseMs: number): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await sleep(pauseMs);
    }
  }
}

/** Nobody waits for this write: it only tells those who look that the payment takes longer. */
function parkInBackground({ tenant, paymentId, policy }: PaymentWorkflowInput): void {
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
