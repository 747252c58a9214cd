import type { Db, Document } from "mongodb";

/** How long rows of a collection are kept. */
export interface Retention {
  readonly collection: string;
  /** The time that counts; rows without it stay. */
  readonly field: string;
  /** In milliseconds; infinite keeps them for ever. */
  readonly keptMs: number;
  /** Which rows may go; absent: all that have the time. */
  readonly where?: Document;
}

const INDEX = "retention";
/** MongoDB counts in int32 seconds. */
const SECONDS_MAX = 2_147_483_647;

/**
 * Has MongoDB drop rows that are older than they are kept, by a TTL index, and follows a setting that changed. Never for money: payments, refunds, transfers, holds and the keys of each stay.
 */
export async function applyRetention(db: Db, retentions: readonly Retention[]): Promise<void> {
  for (const retention of retentions) await applyOne(db, retention);
}

async function applyOne(db: Db, { collection, field, keptMs, where }: Retention): Promise<void> {
  const rows = db.collection(collection);
  const found = (await rows.indexes()).find(({ name }) => name === INDEX);
  if (keptMs === Number.POSITIVE_INFINITY) {
    if (found !== undefined) await rows.dropIndex(INDEX);
    return;
  }
  const expireAfterSeconds = Math.min(Math.ceil(keptMs / 1000), SECONDS_MAX);
  if (found === undefined) {
    const filter = where && { partialFilterExpression: where };
    await rows.createIndex({ [field]: 1 }, { name: INDEX, expireAfterSeconds, ...filter });
  } else if (Number(found["expireAfterSeconds"]) !== expireAfterSeconds) {
    await db.command({ collMod: collection, index: { name: INDEX, expireAfterSeconds } });
  }
}
