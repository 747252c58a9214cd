import type { Log } from "#kit/log.ts";
import type { OutboundPolicy, Resolve } from "#kit/outbound.ts";
import type { WebhookPolicy } from "../../domain/retry.ts";
import type { WebhookStore } from "../../store/webhook-port.ts";
import type { SecretDeps } from "./secrets.ts";

/** What the webhook functions work with. */
export interface WebhookDeps extends SecretDeps {
  readonly webhooks: WebhookStore;
  readonly log: Log;
  readonly clock: () => Date;
  readonly outbound: OutboundPolicy;
  /** How long old secrets go on signing where a rotation does not say, in milliseconds. Default 24 h. */
  readonly overlapMs: number;
  /** Called when a delivery became due. */
  readonly wakeSender: () => void;
}

/** What the sender works with. */
export interface WebhookSenderDeps extends SecretDeps {
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
