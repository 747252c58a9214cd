import type { Db } from "mongodb";
import { applyRetention, type Retention } from "./retention.ts";

/** One step of a database's history. Idempotent, additive, and never changed once shipped. */
export interface Migration {
  /** `NNN-what-it-does`; steps run in this order. */
  readonly id: string;
  readonly up: (db: Db) => Promise<void>;
  /** Set where older instances would do harm beside it: they refuse to start. All other steps only add. */
  readonly shutsOutOlder?: true;
}

interface MigrationRow {
  readonly _id: string;
  readonly finishTime: Date;
  readonly shutsOutOlder?: true;
}

/**
 * Runs what has not run yet, in order. Two processes at once are safe: steps are idempotent and the row
 * is written after the step. Steps of a newer version are left alone, so that an older instance can start beside newer
 * ones; it refuses only where such a step says that it must. Then sets how long rows are kept.
 */
export async function migrate(
  db: Db,
  migrations: readonly Migration[],
  retentions: readonly Retention[] = [],
): Promise<void> {
  const rows = db.collection<MigrationRow>("migrations");
  const found = await rows.find().toArray();
  const done = new Set(found.map((row) => row._id));
  const known = new Set(migrations.map((migration) => migration.id));
  const closed = found.filter((row) => row.shutsOutOlder === true && !known.has(row._id));
  if (closed.length > 0) {
    const steps = closed.map((row) => row._id).join(", ");
    throw new Error(
      `database ${db.databaseName} was changed by a newer version of Settle in a way this one cannot work with ` +
        `(${steps}); run that version, or take another --data-dir`,
    );
  }
  for (const migration of migrations) {
    if (done.has(migration.id)) continue;
    await migration.up(db);
    await rows.updateOne(
      { _id: migration.id },
      { $set: { finishTime: new Date(), ...shutsOutOlder(migration) } },
      { upsert: true },
    );
  }
  await applyRetention(db, retentions);
}

function shutsOutOlder({ shutsOutOlder: shut }: Migration): Pick<MigrationRow, "shutsOutOlder"> {
  return shut ? { shutsOutOlder: true } : {};
}

/** Creates the collection when it is missing and sets its `$jsonSchema` either way. */
export async function ensureCollection(db: Db, name: string, jsonSchema: object): Promise<void> {
  const options = {
    validator: { $jsonSchema: jsonSchema },
    validationLevel: "strict",
    validationAction: "error",
  } as const;
  const found = await db.listCollections({ name }, { nameOnly: true }).toArray();
  if (found.length === 0) {
    // Another process may create it in this very moment: then collMod below sets the same schema.
    await db.createCollection(name, options).catch((error: { code?: number }) => {
      if (error.code !== 48) throw error;
    });
  }
  await db.command({ collMod: name, ...options });
}

const INDEX_NOT_FOUND = 27;

/** Drops an index that an earlier step made; another process may have been here first. */
export async function dropIndexIfThere(db: Db, collection: string, name: string): Promise<void> {
  await db
    .collection(collection)
    .dropIndex(name)
    .catch((error: { code?: number }) => {
      if (error.code !== INDEX_NOT_FOUND) throw error;
    });
}
