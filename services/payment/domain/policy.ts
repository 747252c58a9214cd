/** Every duration and mode of the payment saga. Filled from configuration, never by a caller. */
export interface PaymentPolicy {
  readonly steps: {
    /** `local-first`: each step runs in the payment worker and falls back to its owner's. `regular`: only there. */
    readonly mode: "local-first" | "regular";
    readonly localTimeoutMs: number;
    readonly localAttemptsMax: number;
    readonly startToCloseMs: number;
    readonly backoffMaxMs: number;
  };
  /** `child`: a FraudCheckWorkflow for every payment. `inline`: an activity, a child only for a review. */
  readonly fraudMode: "child" | "inline";
  /** From the start of the gateway step to GATEWAY_TIMEOUT. Default 5 min. */
  readonly callbackTimeoutMs: number;
  /** From the check's creation to NEEDS_REVIEW. Default 10 min. */
  readonly reviewTimeoutMs: number;
  /** From the check's creation to FRAUD_REVIEW_EXPIRED. Default 7 days. */
  readonly reviewExpiryMs: number;
  /** From REQUIRES_CAPTURE to CAPTURE_EXPIRED. Default 7 days. */
  readonly captureExpiryMs: number;
  /** Pause between looks at a stored fraud decision, where no child can tell. Default 30 s. */
  readonly decisionPollMs: number;
  /** Failed tries of one undo after which a person is told; the undo goes on. Default 10. */
  readonly undoAttemptsBeforeTask: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What production runs with. */
export const DEFAULT_POLICY: PaymentPolicy = {
  steps: {
    mode: "local-first",
    localTimeoutMs: 2_000,
    localAttemptsMax: 3,
    startToCloseMs: 10_000,
    backoffMaxMs: 10_000,
  },
  fraudMode: "child",
  callbackTimeoutMs: 5 * MINUTE,
  reviewTimeoutMs: 10 * MINUTE,
  reviewExpiryMs: 7 * DAY,
  captureExpiryMs: 7 * DAY,
  decisionPollMs: 30_000,
  undoAttemptsBeforeTask: 10,
};
