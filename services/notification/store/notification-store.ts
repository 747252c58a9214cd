import { randomUUID } from "node:crypto";
import { type Db, MongoServerError } from "mongodb";
import type { ListQuery } from "#kit/list/spec.ts";
import { due } from "#kit/mongo/due.ts";
import { key } from "#kit/mongo/key.ts";
import { type ListColumns, listFilter, listSort } from "#kit/mongo/list.ts";
import type { Notification } from "../domain/notification.ts";
import type {
  Claimed,
  ClaimOptions,
  DeliveryOutcome,
  InboxMail,
  NotificationStore,
  Tenant,
} from "./port.ts";
import {
  type Collections,
  collections,
  type NotificationRow,
  newRow,
  toNotification,
} from "./rows.ts";

/** Opens Notification's database. */
export function createNotificationStore(db: Db): NotificationStore {
  const rows = collections(db);
  return {
    insert: (tenant, notification) => insert(rows, tenant, notification),
    async find(tenant, id) {
      const row = await rows.notifications.findOne({ _id: key(tenant, id) });
      return row === null ? undefined : toNotification(row);
    },
    list: (tenant, query) => list(rows, tenant, query),
    claimDue: (options) => claimDue(rows, options),
    settle: (outcomes) => settle(rows, outcomes),
    insertIntoInbox: (tenant, mail) => insertIntoInbox(rows, tenant, mail),
  };
}

async function insert(
  rows: Collections,
  tenant: Tenant,
  notification: Notification,
): Promise<Notification> {
  // One upsert, so that of two callers with the same id one stores and both read what was stored.
  const { _id, ...fresh } = newRow(tenant, notification);
  const options = { upsert: true, returnDocument: "after" } as const;
  try {
    const row = await rows.notifications.findOneAndUpdate(
      { _id },
      { $setOnInsert: fresh },
      options,
    );
    return row === null ? notification : toNotification(row);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    const row = await rows.notifications.findOne({ _id });
    if (row === null) throw error;
    return toNotification(row);
  }
}

const COLUMNS: ListColumns = {
  fields: {
    notification_id: "_id.id",
    payment_id: "paymentId",
    recipient: "recipient",
    channel: "channel",
    template: "template",
    status: "status",
    create_time: "createTime",
  },
  sorts: { create_time: ["createTime", "_id.id"] },
};

async function list(
  rows: Collections,
  tenant: Tenant,
  query: ListQuery,
): Promise<readonly Notification[]> {
  const found = await rows.notifications
    .find(listFilter<NotificationRow>(tenant, query, COLUMNS))
    .sort(listSort(query, COLUMNS))
    .limit(query.limit)
    .toArray();
  return found.map(toNotification);
}

async function claimDue(
  rows: Collections,
  { limit, now, leaseMs }: ClaimOptions,
): Promise<readonly Claimed[]> {
  const queued = { status: "QUEUED", ...due("nextTime", now) } as const;
  const found = await rows.notifications
    .find(queued, { projection: { _id: 1 } })
    .sort({ nextTime: 1 })
    .limit(limit)
    .toArray();
  if (found.length === 0) return [];
  const token = randomUUID();
  const ids = found.map((row) => row._id);
  // The filter is asked again for each row it updates: a row that another sender took meanwhile is not due any more.
  await rows.notifications.updateMany(
    { _id: { $in: ids }, ...queued },
    {
      $set: { nextTime: new Date(now.getTime() + leaseMs), claim: token, updateTime: now },
      $inc: { attempts: 1 },
    },
  );
  const mine = await rows.notifications.find({ _id: { $in: ids }, claim: token }).toArray();
  return mine.map((row) => ({
    tenant: row._id.tenant,
    notification: toNotification(row),
    token,
  }));
}

async function settle(
  rows: Collections,
  outcomes: readonly { readonly claimed: Claimed; readonly outcome: DeliveryOutcome }[],
): Promise<void> {
  if (outcomes.length === 0) return;
  await rows.notifications.bulkWrite(
    outcomes.map(({ claimed, outcome }) => ({
      updateOne: {
        // A sender that was too slow for its lease must not undo what the next one wrote.
        filter: {
          _id: key(claimed, claimed.notification.id),
          status: "QUEUED",
          claim: claimed.token,
        },
        update: {
          $set: { ...outcomeFields(outcome), updateTime: new Date() },
          ...(outcome.kind === "PUT_BACK" && { $inc: { attempts: -1 } }),
        },
      },
    })),
    { ordered: false },
  );
}

function outcomeFields(outcome: DeliveryOutcome): Partial<NotificationRow> {
  switch (outcome.kind) {
    case "SENT":
      return { status: "SENT", sendTime: outcome.sendTime, lastError: "" };
    case "RETRY":
      return { nextTime: outcome.nextTime, lastError: outcome.error };
    case "FAILED":
      return { status: "FAILED", lastError: outcome.error };
    case "PUT_BACK":
      return { nextTime: outcome.nextTime };
  }
}

async function insertIntoInbox(rows: Collections, tenant: Tenant, mail: InboxMail): Promise<void> {
  const { notificationId, ...fields } = mail;
  try {
    await rows.inbox.insertOne({ _id: key(tenant, notificationId), ...fields });
  } catch (error) {
    // Delivered before, and only the answer or the sender was lost: the effect is there, once.
    if (!isDuplicate(error)) throw error;
  }
}

function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11_000;
}
