// Pieces of the `$jsonSchema` validators that stand in many collections. They are shipped with the migrations that use
// them: what a piece says never changes; another meaning is another piece.

/** Any string, the empty one too: absent texts are stored as "". */
export const text = { bsonType: "string" } as const;
/** A time, in UTC. */
export const date = { bsonType: "date" } as const;
/** A time, or null where it has not come yet. */
export const dateOrNull = { bsonType: ["date", "null"] } as const;
/** The wall against a fraction or a double that another writer might bring in. */
export const int64 = { bsonType: "long" } as const;
/** Minor units, versions and counts that never fall below 0. */
export const notNegative = { ...int64, minimum: 0 } as const;
/** Minor units and versions that begin at 1. */
export const positive = { ...int64, minimum: 1 } as const;

/** The `_id` of a document, with room for further fields; see `Key`. */
export const openKey = {
  bsonType: "object",
  required: ["tenant", "id"],
  properties: { tenant: text, id: text },
} as const;
/** The `_id` of a document: tenant and id, and nothing else. */
export const closedKey = { ...openKey, additionalProperties: false } as const;
