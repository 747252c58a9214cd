import { ensureCollection, type Migration } from "../mongo/migrate.ts";
import type { Retention } from "../mongo/retention.ts";
import { date, text } from "../mongo/schema.ts";

/**
 * Make the `requests` collection: one row per (tenant, subject, method, request_id), which is its `_id` and so unique.
 */
export const requestsMigrations: readonly Migration[] = [
  {
    id: "900-requests",
    up: (db) => ensureCollection(db, "requests", requestsSchema({})),
  },
  {
    id: "901-requests-by-subject",
    // An older instance would not find what a newer one has answered, and would do it again.
    shutsOutOlder: true,
    up: (db) => ensureCollection(db, "requests", requestsSchema({ subject: text })),
  },
];

/** Which requests may go: all that nobody has touched for so long. */
export function requestsRetention(keptMs: number): Retention {
  return { collection: "requests", field: "updateTime", keptMs };
}

const requestsSchema = (subject: object) => ({
  bsonType: "object",
  required: ["_id", "hash", "id", "state", "owner", "leaseTime", "createTime", "updateTime"],
  additionalProperties: false,
  properties: {
    _id: {
      bsonType: "object",
      required: ["tenant", "method", "requestId"],
      additionalProperties: false,
      properties: { tenant: text, ...subject, method: text, requestId: text },
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
});
