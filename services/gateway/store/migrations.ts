import { ensureCollection, type Migration } from "#kit/mongo/migrate.ts";
import { COLLECTION_SCHEMAS } from "./schemas.ts";

/** The history of the gateway's database. */
export const gatewayMigrations: readonly Migration[] = [
  {
    id: "001-book",
    up: async (db) => {
      for (const [name, schema] of Object.entries(COLLECTION_SCHEMAS)) {
        await ensureCollection(db, name, schema);
      }
    },
  },
  {
    id: "002-due-callbacks",
    up: async (db) => {
      // Only open rows have a time, so the index stays as small as the work that is left.
      await db
        .collection("callbacks")
        .createIndex(
          { dueTime: 1 },
          { name: "due", partialFilterExpression: { dueTime: { $type: "date" } } },
        );
    },
  },
  {
    id: "011-provider-news",
    up: async (db) => {
      for (const name of ["transactions", "operations", "callbacks"] as const) {
        await ensureCollection(db, name, COLLECTION_SCHEMAS[name]);
      }
    },
  },
  {
    id: "012-attempts-by-time",
    up: (db) => ensureCollection(db, "attempts", COLLECTION_SCHEMAS.attempts),
  },
];
