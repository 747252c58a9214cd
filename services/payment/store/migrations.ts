import { requestsMigrations } from "#kit/idempotency/request.ts";
import { dropIndexIfThere, ensureCollection, type Migration } from "#kit/mongo/migrate.ts";
import { date, notNegative, openKey, positive, text } from "#kit/mongo/schema.ts";

const PAYMENT_STATUSES = [
  "PENDING",
  "PROCESSING",
  "REQUIRES_CAPTURE",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "PARTIALLY_REFUNDED",
  "REFUNDED",
  "NEEDS_REVIEW",
];

const paymentSchema = {
  bsonType: "object",
  required: [
    "_id",
    "requestId",
    "requestHash",
    "accountId",
    "amount",
    "status",
    "phase",
    "final",
    "version",
  ],
  properties: {
    _id: openKey,
    requestId: { ...text, minLength: 1 },
    amount: positive,
    capturedAmount: notNegative,
    refundedAmount: notNegative,
    reservedAmount: notNegative,
    status: { enum: PAYMENT_STATUSES },
    phase: {
      bsonType: "object",
      required: ["kind"],
      properties: { kind: { enum: ["OPEN", "CAPTURING", "UNDOING"] } },
    },
    final: { bsonType: "bool" },
    version: positive,
    createTime: date,
    updateTime: date,
    sweepTime: date,
  },
};

const refundSchema = {
  bsonType: "object",
  required: ["_id", "paymentId", "amount", "status", "version"],
  properties: {
    _id: openKey,
    paymentId: text,
    amount: positive,
    status: { enum: ["PENDING", "SUCCEEDED", "FAILED"] },
    version: positive,
    createTime: date,
    updateTime: date,
  },
};

const callbackSchema = {
  bsonType: "object",
  required: ["_id", "paymentId", "eventId", "state"],
  properties: {
    _id: openKey,
    state: { enum: ["RECEIVED", "SIGNALLED", "DONE"] },
    updateTime: date,
  },
};

/** The history of Payment's database. */
export const paymentMigrations: readonly Migration[] = [
  {
    id: "001-payments",
    async up(db) {
      await ensureCollection(db, "payments", paymentSchema);
      await db.collection("payments").createIndexes([
        { key: { "_id.tenant": 1, requestId: 1 }, name: "request", unique: true },
        { key: { "_id.tenant": 1, "_id.id": -1 }, name: "newest" },
        { key: { "_id.tenant": 1, accountId: 1, "_id.id": -1 }, name: "account" },
        { key: { "_id.tenant": 1, status: 1, "_id.id": -1 }, name: "status" },
        // Small: only rows that are open, or owe a message, are in them.
        { key: { sweepTime: 1 }, name: "open", partialFilterExpression: { final: false } },
        {
          key: { updateTime: 1 },
          name: "untold",
          partialFilterExpression: { notify: { $type: "string" } },
        },
      ]);
    },
  },
  {
    id: "002-refunds",
    async up(db) {
      await ensureCollection(db, "refunds", refundSchema);
      await db.collection("refunds").createIndexes([
        { key: { "_id.tenant": 1, paymentId: 1, "_id.id": -1 }, name: "payment" },
        { key: { sweepTime: 1 }, name: "open", partialFilterExpression: { status: "PENDING" } },
        {
          key: { updateTime: 1 },
          name: "untold",
          partialFilterExpression: { notify: { $type: "string" } },
        },
      ]);
    },
  },
  {
    id: "003-callbacks-and-tasks",
    async up(db) {
      await ensureCollection(db, "callbacks", callbackSchema);
      await db.collection("callbacks").createIndexes([
        { key: { "_id.tenant": 1, paymentId: 1 }, name: "payment" },
        {
          key: { updateTime: 1 },
          name: "pending",
          partialFilterExpression: { state: { $in: ["RECEIVED", "SIGNALLED"] } },
        },
      ]);
      await ensureCollection(db, "tasks", {
        bsonType: "object",
        required: ["_id", "kind", "state"],
      });
      await db
        .collection("tasks")
        .createIndex({ "_id.tenant": 1, state: 1, createTime: 1 }, { name: "open" });
    },
  },
  {
    id: "004-payments-by-order",
    async up(db) {
      const byOrder = { "_id.tenant": 1, orderId: 1, "_id.id": -1 } as const;
      // Most payments name no order and cost this index nothing.
      const named = { partialFilterExpression: { orderId: { $gt: "" } } };
      await db.collection("payments").createIndex(byOrder, { name: "order", ...named });
    },
  },
  {
    id: "011-tasks",
    async up(db) {
      await db.collection("tasks").createIndexes([
        { key: { "_id.tenant": 1, createTime: -1, "_id.id": -1 }, name: "newest" },
        { key: { "_id.tenant": 1, paymentId: 1 }, name: "payment" },
        // Small: what nobody has dealt with yet.
        { key: { kind: 1 }, name: "open-kinds", partialFilterExpression: { state: "OPEN" } },
      ]);
    },
  },
  {
    id: "012-request-ids-by-subject",
    // An older instance would find any subject's payment under the id.
    shutsOutOlder: true,
    async up(db) {
      const payments = db.collection("payments");
      await payments.updateMany({ subject: { $exists: false } }, { $set: { subject: "" } });
      const bySubject = { "_id.tenant": 1, subject: 1, requestId: 1 } as const;
      await payments.createIndex(bySubject, { name: "subject-request", unique: true });
      await dropIndexIfThere(db, "payments", "request");
    },
  },
  ...requestsMigrations,
];
