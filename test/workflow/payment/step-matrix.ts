import type { Env } from "#kit/config.ts";
import { faults, type Pause } from "#test/support/faults.ts";
import type { Stack } from "#test/support/stack.ts";
import { SHORT_STEPS, STEPS, type StepCase } from "./fault-matrix.ts";
import { failed, openAccount, pay, type Story } from "./story.ts";

/** A payment that waits at one call, before it arrives or after it took effect, until the test has done something to it. */
export interface StopCase extends StepCase {
  readonly accountId: string;
  readonly where: "before" | "after";
}

const UNDONE = failed("FRAUD_REJECTED");

/** Every call of a payment that succeeds and of one that is undone, each stopped before and after. */
export const STOPS: readonly StopCase[] = STEPS.flatMap((step, index) =>
  (["before", "after"] as const).map((where) => {
    const path = step.end.status === UNDONE.status ? "denied" : "good";
    return { ...step, where, accountId: `${path}-${index}-${where}` };
  }),
);

/** Steps that come after the payment was decided, so that nothing said later changes its end. */
const DECIDED = new Set(["Capture", "CaptureHold", "Send", "Void", "ReleaseHold", "Release"]);

/** Whether the payment's phase is written by the time of the stop. */
export const isDecided = ({ method }: StopCase): boolean => DECIDED.has(method);

/** What a stack needs so that payments can wait at their calls without timing out. */
export const PATIENT_STEPS: Env = {
  ...SHORT_STEPS,
  SETTLE_STEP_LOCAL_TIMEOUT: "6s",
  SETTLE_STEP_TIMEOUT: "10s",
  // The tests say when a payment is taken up again.
  SETTLE_SWEEP_AFTER: "1h",
  SETTLE_FRAUD_DENIED_ACCOUNTS: STOPS.map(({ accountId }) => accountId)
    .filter((accountId) => accountId.startsWith("denied"))
    .join(","),
};

/** A stopped payment. */
export interface Stopped extends Story {
  readonly stop: StopCase;
  readonly pause: Pause;
}

/** Makes every payment of the matrix and waits until each has come to its stop. */
export async function stopAll(stack: Stack): Promise<readonly Stopped[]> {
  await Promise.all(STOPS.map(({ accountId }) => openAccount(stack, accountId)));
  return Promise.all(
    STOPS.map(async (stop) => {
      const pause = faults.pause(stop.accountId, stop.method, stop.where);
      const story = await pay(stack, stop.accountId);
      await pause.reached;
      return { ...story, stop, pause };
    }),
  );
}
