import { requestsMigrations } from "#kit/idempotency/request.ts";
import { ensureCollection, type Migration } from "#kit/mongo/migrate.ts";
import { closedKey, date, dateOrNull, notNegative, positive, text } from "#kit/mongo/schema.ts";

const checksSchema = {
  bsonType: "object",
  required: ["_id", "decision", "rules", "released", "tallied", "createTime", "decideTime"],
  properties: {
    _id: closedKey,
    paymentId: text,
    accountId: text,
    currencyCode: text,
    amount: positive,
    decision: { enum: ["PASS", "FAIL", "REVIEW"] },
    rules: { bsonType: "array", items: text },
    released: { bsonType: "bool" },
    tallied: notNegative,
    createTime: date,
    decideTime: dateOrNull,
  },
} as const;

/** A tally below zero would mean that a share was given back twice: the store refuses it. */
const talliesSchema = {
  bsonType: "object",
  required: ["_id", "accountId", "currencyCode", "amount"],
  additionalProperties: false,
  properties: { _id: closedKey, accountId: text, currencyCode: text, amount: notNegative },
} as const;

const settingsSchema = {
  bsonType: "object",
  required: ["_id", "amountLimits", "reviewLimits", "cumulativeLimits", "version", "callId"],
  properties: { _id: closedKey, version: positive, callId: text },
} as const;

/** Fraud's database, step by step. */
export const fraudMigrations: readonly Migration[] = [
  {
    id: "001-checks-tallies-settings",
    async up(db) {
      await ensureCollection(db, "checks", checksSchema);
      await ensureCollection(db, "tallies", talliesSchema);
      await ensureCollection(db, "settings", settingsSchema);
      await db
        .collection("checks")
        .createIndexes([
          { key: { "_id.tenant": 1, createTime: -1, "_id.id": -1 } },
          { key: { "_id.tenant": 1, decision: 1, createTime: -1, "_id.id": -1 } },
          { key: { "_id.tenant": 1, paymentId: 1, createTime: -1 } },
        ]);
    },
  },
  ...requestsMigrations,
];
