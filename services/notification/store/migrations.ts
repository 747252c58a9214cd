import { requestsMigrations } from "#kit/idempotency/request.ts";
import { ensureCollection, type Migration } from "#kit/mongo/migrate.ts";
import { closedKey, date, dateOrNull, text } from "#kit/mongo/schema.ts";
import { webhookMigration } from "./webhook-migration.ts";

const notificationsSchema = {
  bsonType: "object",
  required: [
    "_id",
    "recipient",
    "channel",
    "template",
    "variables",
    "address",
    "body",
    "status",
    "attempts",
    "nextTime",
    "createTime",
    "sendTime",
  ],
  properties: {
    _id: closedKey,
    recipient: text,
    channel: { enum: ["EMAIL", "SMS"] },
    template: {
      enum: ["PAYMENT_SUCCEEDED", "PAYMENT_FAILED", "PAYMENT_CANCELLED", "PAYMENT_REFUNDED"],
    },
    paymentId: text,
    status: { enum: ["QUEUED", "SENT", "FAILED"] },
    attempts: { bsonType: "int", minimum: 0 },
    nextTime: date,
    createTime: date,
    sendTime: dateOrNull,
  },
} as const;

const inboxSchema = {
  bsonType: "object",
  required: ["_id", "channel", "address", "body", "receiveTime"],
  properties: {
    _id: closedKey,
    channel: { enum: ["EMAIL", "SMS"] },
    body: text,
    receiveTime: date,
  },
} as const;

/** Notification's database, step by step. */
export const notificationMigrations: readonly Migration[] = [
  {
    id: "001-notifications-inbox",
    async up(db) {
      await ensureCollection(db, "notifications", notificationsSchema);
      await ensureCollection(db, "inbox", inboxSchema);
      const notifications = db.collection("notifications");
      await notifications.createIndexes([
        { key: { "_id.tenant": 1, createTime: -1, "_id.id": -1 } },
        { key: { "_id.tenant": 1, paymentId: 1, createTime: -1, "_id.id": -1 } },
        { key: { "_id.tenant": 1, status: 1, createTime: -1, "_id.id": -1 } },
      ]);
      // Only what waits is in it, so that finding the next messages costs the same after millions of them.
      await notifications.createIndex(
        { nextTime: 1 },
        { partialFilterExpression: { status: "QUEUED" }, name: "due" },
      );
    },
  },
  webhookMigration,
  ...requestsMigrations,
];
