import type { Log } from "#kit/log.ts";
import type { PaymentPolicy } from "../domain/policy.ts";
import type { PaymentFeed } from "../store/feed.ts";
import type { PaymentStore } from "../store/payment-store.ts";
import type { Peers } from "./peers.ts";
import type { Workflows } from "./workflows.ts";

/** What Payment's application needs; made once in `service.ts`. */
export interface PaymentDeps {
  readonly store: PaymentStore;
  readonly feed: PaymentFeed;
  readonly workflows: Workflows;
  readonly peers: Peers;
  readonly policy: PaymentPolicy;
  readonly gatewaySecrets: ReadonlyMap<string, readonly string[]>;
  /** How old an open payment is before the sweeper looks at it, in milliseconds. */
  readonly sweepAfterMs: number;
  /** How long a Watch stream is silent before it shows a sign of life, in milliseconds. */
  readonly watchHeartbeatMs: number;
  readonly log: Log;
}
