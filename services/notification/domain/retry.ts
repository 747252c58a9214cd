/** When a message is tried again and when it is given up. All in milliseconds. */
export interface RetryPolicy {
  /** Pause after the first failure; it doubles with every further one. Default 1 s. */
  readonly pauseMinMs: number;
  /** Longest pause. Default 5 min: so long after the end of an outage everything is under way again. */
  readonly pauseMaxMs: number;
  /** How long after it was stored a message is given up. Default 3 days. */
  readonly giveUpMs: number;
}

/** How the sender works. */
export interface SenderPolicy extends RetryPolicy {
  /**
   * How long a taken message belongs to its sender, in milliseconds; so long a message waits whose sender was killed.
   * Default 30 s.
   */
  readonly leaseMs: number;
  /** When a delivery counts as failed, in milliseconds; below the lease. Default 20 s. */
  readonly deliveryTimeoutMs: number;
  /** Messages one round takes and delivers at once. Default 16. */
  readonly batchMax: number;
}

/** How deliveries are sent. */
export interface WebhookPolicy extends RetryPolicy {
  /** How long a taken delivery belongs to its sender, in milliseconds; longer than an attempt. Default 30 s. */
  readonly leaseMs: number;
  /** How long an endpoint may take to answer, in milliseconds. Default 10 s. */
  readonly timeoutMs: number;
  /** Attempts at once, all endpoints together. Default 256. */
  readonly concurrency: number;
  /** Attempts at once to one endpoint; one that failed last gets one at a time. Default 8. */
  readonly perEndpoint: number;
  /** How long a delivery that arrived stays in the list, in milliseconds. Default 30 days. */
  readonly keepMs: number;
}

/** Pause before attempt `attempts + 1`. `spread` (0 to 1) keeps an outage's messages from coming back all at once. */
export function retryPauseMs(policy: RetryPolicy, attempts: number, spread: number): number {
  const doubled = policy.pauseMinMs * 2 ** Math.min(Math.max(attempts - 1, 0), 30);
  const capped = Math.min(doubled, policy.pauseMaxMs);
  return Math.round(capped * (0.5 + spread / 2));
}
