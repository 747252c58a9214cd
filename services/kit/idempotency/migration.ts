import { ensureCollection, type Migration } from "../mongo/migrate.ts";
import { date, text } from "../mongo/schema.ts";

/**
 * Makes the `requests` collection: one row per (tenant, method, request_id), which is its `_id` and so unique.
 * Rows are kept for ever, because a repeat gets the first answer for ever.
 */
export const requestsMigration: Migration = {
  id: "900-requests",
  up: (db) => ensureCollection(db, "requests", requestsSchema),
};

const requestsSchema = {
  bsonType: "object",
  required: ["_id", "hash", "id", "state", "owner", "leaseTime", "createTime", "updateTime"],
  additionalProperties: false,
  properties: {
    _id: {
      bsonType: "object",
      required: ["tenant", "method", "requestId"],
      additionalProperties: false,
      properties: { tenant: text, method: text, requestId: text },
    },
    hash: text,
    id: text,
    state: { enum: ["RUNNING", "FREE", "ANSWERED", "REFUSED"] },
    owner: text,
    leaseTime: date,
    answer: { bsonType: "binData" },
    refusal: {
      bsonType: "object",
      required: ["reason", "message", "metadata", "fields"],
      properties: {
        reason: text,
        message: { bsonType: ["string", "null"] },
        metadata: { bsonType: "array", maxItems: 64 },
        fields: { bsonType: "array", maxItems: 64 },
      },
    },
    createTime: date,
    updateTime: date,
  },
} as const;
