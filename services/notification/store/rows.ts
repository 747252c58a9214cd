import type { Collection, Db } from "mongodb";
import { type Key, key } from "#kit/mongo/key.ts";
import type { Channel, Notification, Status, Template } from "../domain/notification.ts";
import { eventOf } from "../domain/webhook.ts";
import type { InboxMail, Tenant } from "./port.ts";

/** A row of `notifications`. */
export interface NotificationRow {
  readonly _id: Key;
  readonly recipient: string;
  readonly channel: Channel;
  readonly template: Template;
  readonly variables: readonly { readonly key: string; readonly value: string }[];
  readonly paymentId: string;
  readonly address: string;
  readonly subject: string;
  readonly body: string;
  readonly status: Status;
  readonly attempts: number;
  readonly lastError: string;
  /** When it may be taken next: after a pause, or when a sender's lease ends. */
  readonly nextTime: Date;
  /** Token of the sender that took it last; empty before. */
  readonly claim: string;
  readonly createTime: Date;
  readonly updateTime: Date;
  readonly sendTime: Date | null;
  /** The message is an event whose webhook deliveries are not made yet. */
  readonly fanOut?: "PENDING";
}

/** A row of `inbox`; its id is the notification's. */
export interface InboxRow extends Omit<InboxMail, "notificationId"> {
  readonly _id: Key;
}

/** Notification's collections. */
export interface Collections {
  readonly notifications: Collection<NotificationRow>;
  readonly inbox: Collection<InboxRow>;
}

/** Names them; `notificationMigrations` makes them. */
export function collections(db: Db): Collections {
  return { notifications: db.collection("notifications"), inbox: db.collection("inbox") };
}

/** A new message, due at once. */
export function newRow(tenant: Tenant, notification: Notification): NotificationRow {
  const { content } = notification;
  return {
    _id: key(tenant, notification.id),
    recipient: content.recipient,
    channel: content.channel,
    template: content.template,
    variables: [...content.variables].map(([name, value]) => ({ key: name, value })),
    paymentId: content.paymentId,
    address: notification.address,
    subject: notification.subject,
    body: notification.body,
    status: notification.status,
    attempts: notification.attempts,
    lastError: notification.lastError,
    nextTime: notification.createTime,
    claim: "",
    createTime: notification.createTime,
    updateTime: notification.createTime,
    sendTime: notification.sendTime ?? null,
    ...(eventOf(notification) && { fanOut: "PENDING" }),
  };
}

export function toNotification(row: NotificationRow): Notification {
  return {
    id: row._id.id,
    content: {
      recipient: row.recipient,
      channel: row.channel,
      template: row.template,
      variables: new Map(row.variables.map((entry) => [entry.key, entry.value])),
      paymentId: row.paymentId,
    },
    address: row.address,
    subject: row.subject,
    body: row.body,
    status: row.status,
    attempts: row.attempts,
    lastError: row.lastError,
    createTime: row.createTime,
    sendTime: row.sendTime ?? undefined,
  };
}
