import { ensureCollection, type Migration } from "#kit/mongo/migrate.ts";
import { closedKey, date, dateOrNull, positive, text } from "#kit/mongo/schema.ts";

const endpointsSchema = {
  bsonType: "object",
  required: ["_id", "url", "eventTypes", "state", "secrets", "callId", "version", "createTime"],
  properties: {
    _id: closedKey,
    url: text,
    eventTypes: { bsonType: "array", maxItems: 16, items: text },
    state: { enum: ["ENABLED", "DISABLED", "DELETED"] },
    secrets: {
      bsonType: "array",
      maxItems: 8,
      items: {
        bsonType: "object",
        required: ["id", "secret", "endTime"],
        properties: { id: text, secret: text, endTime: dateOrNull },
      },
    },
    version: positive,
    createTime: date,
    updateTime: date,
  },
} as const;

const deliveriesSchema = {
  bsonType: "object",
  required: [
    ...["_id", "endpointId", "eventId", "eventType", "paymentId", "sequence", "body", "state"],
    ...["attempts", "nextTime", "startTime", "createTime", "deliverTime", "expireTime"],
  ],
  properties: {
    _id: closedKey,
    endpointId: text,
    eventId: text,
    sequence: { bsonType: "int", minimum: 1 },
    body: text,
    state: { enum: ["PENDING", "DELIVERED", "DEAD"] },
    attempts: { bsonType: "int", minimum: 0 },
    nextTime: date,
    startTime: date,
    createTime: date,
    deliverTime: dateOrNull,
    expireTime: dateOrNull,
  },
} as const;

const sequencesSchema = {
  bsonType: "object",
  required: ["_id", "last"],
  properties: { _id: closedKey, last: { bsonType: "int", minimum: 1 } },
} as const;

/** Adds outbound webhooks: endpoints, deliveries, the counters of events, and the outbox mark on messages. */
export const webhookMigration: Migration = {
  id: "002-webhooks",
  async up(db) {
    await ensureCollection(db, "webhook_endpoints", endpointsSchema);
    await ensureCollection(db, "webhook_deliveries", deliveriesSchema);
    await ensureCollection(db, "webhook_sequences", sequencesSchema);
    const newest = { createTime: -1, "_id.id": -1 } as const;
    await db.collection("webhook_endpoints").createIndex({ "_id.tenant": 1, ...newest });
    const deliveries = db.collection("webhook_deliveries");
    await deliveries.createIndexes([
      { key: { "_id.tenant": 1, ...newest } },
      { key: { "_id.tenant": 1, endpointId: 1, ...newest } },
      { key: { "_id.tenant": 1, state: 1, ...newest } },
      { key: { "_id.tenant": 1, paymentId: 1, ...newest } },
      { key: { "_id.tenant": 1, endpointId: 1, eventId: 1 }, unique: true, name: "once" },
      { key: { expireTime: 1 }, expireAfterSeconds: 0, name: "expire" },
    ]);
    // Only what waits is in these two, and the endpoint is in the first, so that busy ones are passed over in the index.
    await deliveries.createIndex(
      { nextTime: 1, endpointId: 1 },
      { partialFilterExpression: { state: "PENDING" }, name: "due" },
    );
    await db
      .collection("notifications")
      .createIndex(
        { fanOut: 1, createTime: 1 },
        { partialFilterExpression: { fanOut: "PENDING" }, name: "outbox" },
      );
  },
};
