import type { Log } from "#kit/log.ts";
import type { OutboundPolicy, Resolve } from "#kit/outbound.ts";
import type { RetryPolicy } from "../../domain/retry.ts";
import type { WebhookStore } from "../../store/webhook-port.ts";

/** What the webhook functions work with. */
export interface WebhookDeps {
  readonly webhooks: WebhookStore;
  readonly log: Log;
  readonly clock: () => Date;
  readonly outbound: OutboundPolicy;
  /** How long old secrets go on signing where a rotation does not say, in milliseconds. Default 24 h. */
  readonly overlapMs: number;
  /** Called when a delivery became due. */
  readonly wakeSender: () => void;
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

/** What the sender works with. */
export interface WebhookSenderDeps {
  readonly webhooks: WebhookStore;
  readonly log: Log;
  readonly clock: () => Date;
  readonly outbound: OutboundPolicy;
  readonly policy: WebhookPolicy;
  /** 0 to 1; tests fix it. */
  readonly random: () => number;
  /** Finds addresses; tests bring their own. Default: the system's. */
  readonly resolve?: Resolve;
}
