import type { ListQuery } from "#kit/list/spec.ts";
import type { Endpoint, WebhookDelivery } from "../domain/webhook.ts";
import type { Tenant } from "./port.ts";

/** An endpoint with what its writers look at. */
export interface StoredEndpoint {
  readonly endpoint: Endpoint;
  /** The call that changed it last: a repeat of that call finds its work done. */
  readonly callId: string;
  /** Kept as a row, so that the repeat of a deletion knows it; shown to nobody. */
  readonly deleted: boolean;
}

/** A delivery that is this sender's until its lease ends. */
export interface ClaimedDelivery {
  readonly tenant: string;
  readonly delivery: WebhookDelivery;
  /** Undefined when it was deleted. */
  readonly endpoint: Endpoint | undefined;
  /** Proves the lease. */
  readonly token: string;
}

/** What became of an attempt. */
export type AttemptOutcome =
  | { readonly kind: "DELIVERED"; readonly status: number; readonly time: Date }
  | {
      readonly kind: "RETRY";
      readonly status: number;
      readonly error: string;
      readonly nextTime: Date;
    }
  | { readonly kind: "DEAD"; readonly status: number; readonly error: string }
  /** The sender stops: nothing counts as tried. */
  | { readonly kind: "PUT_BACK"; readonly nextTime: Date };

/** Webhooks in Notification's database. */
export interface WebhookStore {
  /** Stores an endpoint, or answers the one stored under its id. */
  insertEndpoint(tenant: Tenant, endpoint: Endpoint): Promise<Endpoint>;
  findEndpoint(tenant: Tenant, id: string): Promise<StoredEndpoint | undefined>;
  /** Replaces an endpoint whose version is one below; false when it is not, because another was faster. */
  replaceEndpoint(tenant: Tenant, stored: StoredEndpoint): Promise<boolean>;
  listEndpoints(tenant: Tenant, query: ListQuery): Promise<readonly Endpoint[]>;
  countEndpoints(tenant: Tenant): Promise<number>;
  findDelivery(tenant: Tenant, id: string): Promise<WebhookDelivery | undefined>;
  listDeliveries(tenant: Tenant, query: ListQuery): Promise<readonly WebhookDelivery[]>;
  /** Makes a delivery pending and due, once per `callId`; undefined when there is none. */
  redeliver(
    tenant: Tenant,
    id: string,
    at: { readonly now: Date; readonly callId: string },
  ): Promise<WebhookDelivery | undefined>;
  /** Gives up what waits for an endpoint. */
  abandon(tenant: Tenant, endpointId: string, error: string): Promise<void>;
  /**
   * Makes the deliveries of stored messages that are events, of every tenant: each once, numbered per payment in the
   * order they were stored. Answers how many messages it looked at.
   */
  fanOut(limit: number, now: Date): Promise<number>;
  /** Takes the delivery that is due longest, of every tenant, except to the endpoints named. */
  claimDelivery(options: {
    readonly now: Date;
    readonly leaseMs: number;
    readonly busyEndpoints: readonly string[];
  }): Promise<ClaimedDelivery | undefined>;
  /** Writes an outcome while the lease is still held. */
  settleDelivery(claimed: ClaimedDelivery, outcome: AttemptOutcome, keepMs: number): Promise<void>;
}
