import type { ListQuery } from "#kit/list/spec.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { Notification } from "../domain/notification.ts";

/** Whose data; a store needs no more of the scope. */
export type Tenant = Pick<Scope, "tenant">;

/** A page of messages, newest first. */

/** A message that is this sender's to deliver until its lease ends. */
export interface Claimed {
  readonly tenant: string;
  readonly notification: Notification;
  /** Proves the lease; an outcome without the present token changes nothing. */
  readonly token: string;
}

/** What became of a delivery. */
export type DeliveryOutcome =
  | { readonly kind: "SENT"; readonly sendTime: Date }
  | { readonly kind: "RETRY"; readonly error: string; readonly nextTime: Date }
  | { readonly kind: "FAILED"; readonly error: string }
  /** The sender stops before it was done: the next one may take it at once, and nothing counts as tried. */
  | { readonly kind: "PUT_BACK"; readonly nextTime: Date };

/** Which messages a sender takes. */
export interface ClaimOptions {
  readonly limit: number;
  readonly now: Date;
  readonly leaseMs: number;
}

/** Notification's database. */
export interface NotificationStore {
  /** Stores a message, or answers the one stored under its id. */
  insert(tenant: Tenant, notification: Notification): Promise<Notification>;
  find(tenant: Tenant, id: string): Promise<Notification | undefined>;
  list(tenant: Tenant, query: ListQuery): Promise<readonly Notification[]>;
  /** Takes messages that are due, of every tenant: the sender works for all. Two senders never get the same one. */
  claimDue(options: ClaimOptions): Promise<readonly Claimed[]>;
  /** Writes outcomes of messages whose lease is still held. */
  settle(
    outcomes: readonly { readonly claimed: Claimed; readonly outcome: DeliveryOutcome }[],
  ): Promise<void>;
  /** Puts a message into the embedded inbox; once, however often it is called. */
  insertIntoInbox(tenant: Tenant, mail: InboxMail): Promise<void>;
}

/** A message as the embedded inbox keeps it. */
export interface InboxMail {
  readonly notificationId: string;
  readonly channel: string;
  readonly address: string;
  readonly subject: string;
  readonly body: string;
  readonly paymentId: string;
  readonly receiveTime: Date;
}
