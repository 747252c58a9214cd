import type { Log } from "#kit/log.ts";
import type { FraudStore } from "../store/port.ts";

/**
 * Wakes a payment's fraud workflow up. Best effort, 2 s at most: the workflow also asks by itself, so a failure is
 * logged and forgotten.
 */
export type DecisionSignal = (paymentId: string, isValid: boolean) => Promise<void>;

/** What Fraud's application functions work with. */
export interface FraudDeps {
  readonly store: FraudStore;
  readonly signalDecision: DecisionSignal;
  readonly log: Log;
  readonly clock: () => Date;
}
