import type { Db } from "mongodb";

/** One step of a database's history. Idempotent, additive, and never changed once shipped. */
export interface Migration {
  /** `NNN-what-it-does`; steps run in this order. */
  readonly id: string;
  readonly up: (db: Db) => Promise<void>;
}

interface MigrationRow {
  readonly _id: string;
  readonly finishTime: Date;
}

/**
 * Runs what has not run yet, in order. Two processes at once are safe: steps are idempotent and the row
 * is written after the step. Refuses a database that a newer version of Settle has migrated.
 */
export async function migrate(db: Db, migrations: readonly Migration[]): Promise<void> {
  const rows = db.collection<MigrationRow>("migrations");
  const done = new Set((await rows.find().toArray()).map((row) => row._id));
  const known = new Set(migrations.map((migration) => migration.id));
  const newer = [...done].filter((id) => !known.has(id));
  if (newer.length > 0) {
    throw new Error(
      `database ${db.databaseName} was written by a newer version of Settle (${newer.join(", ")}); ` +
        "run that version, or take another --data-dir",
    );
  }
  for (const migration of migrations) {
    if (done.has(migration.id)) continue;
    await migration.up(db);
    await rows.updateOne(
      { _id: migration.id },
      { $set: { finishTime: new Date() } },
      { upsert: true },
    );
  }
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
