import { type Binary, type Collection, type Db, MongoServerError } from "mongodb";
import { uuidv7 } from "../ids.ts";
import type { FieldViolation } from "../refusal.ts";

/** How long a claim belongs to the call that made it, in milliseconds; as long as a unary call may run. */
export const LEASE_MS = 30_000;

/** Field order matters to MongoDB's equality, so keys are made in `request-key.ts` only. */
export interface RequestKey {
  readonly tenant: string;
  /** Absent in rows from before ids belonged to their subject. */
  readonly subject?: string;
  readonly method: string;
  readonly requestId: string;
}

/** A refusal as it is kept; `message` is null where the reason table's is used. */
export interface StoredRefusal {
  readonly reason: string;
  readonly message: string | null;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly fields: readonly FieldViolation[];
}

/** A row of `requests`. */
export interface RequestRow {
  readonly _id: RequestKey;
  readonly hash: string;
  /** Made with the first claim and kept, so that every run makes the same things. */
  readonly id: string;
  readonly state: "RUNNING" | "FREE" | "ANSWERED" | "REFUSED";
  /** Token of the call that holds or held the claim; a finish without it changes nothing. */
  readonly owner: string;
  readonly leaseTime: Date;
  readonly answer?: Binary;
  readonly refusal?: StoredRefusal;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** What a holder writes when it is done; FREE lets the next repeat run. */
export type Outcome =
  | { readonly state: "ANSWERED"; readonly answer: Binary }
  | { readonly state: "REFUSED"; readonly refusal: StoredRefusal }
  | { readonly state: "FREE" };

/** The collection; `requestsMigrations` make it. */
export function requestRows(db: Db): Collection<RequestRow> {
  return db.collection<RequestRow>("requests");
}

/** A claim on a request that was never seen, or undefined when there is a row. Of several callers one gets it. */
export async function insertClaim(
  rows: Collection<RequestRow>,
  _id: RequestKey,
  hash: string,
  now: Date,
): Promise<RequestRow | undefined> {
  const row: RequestRow = {
    _id,
    hash,
    id: uuidv7(now.getTime()),
    state: "RUNNING",
    owner: uuidv7(),
    leaseTime: leaseFrom(now),
    createTime: now,
    updateTime: now,
  };
  try {
    await rows.insertOne(row);
    return row;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 11_000) return undefined;
    throw error;
  }
}

/**
 * Takes over a claim that is free or whose lease ran out. Guarded by the owner that was read: of two callers who
 * read the same row one gets it, and a holder that finished in between keeps its outcome.
 */
export async function takeOver(
  rows: Collection<RequestRow>,
  seen: RequestRow,
  now: Date,
): Promise<RequestRow | undefined> {
  const owner = uuidv7();
  const change = { state: "RUNNING", owner, leaseTime: leaseFrom(now), updateTime: now } as const;
  const guard = { _id: seen._id, owner: seen.owner, state: seen.state };
  const { matchedCount } = await rows.updateOne(guard, { $set: change });
  return matchedCount === 1 ? { ...seen, ...change } : undefined;
}

/** Writes the outcome and returns true, or false when another call has taken the claim over meanwhile. */
export async function finishClaim(
  rows: Collection<RequestRow>,
  held: RequestRow,
  outcome: Outcome,
  now: Date,
): Promise<boolean> {
  const guard = { _id: held._id, owner: held.owner, state: "RUNNING" } as const;
  const { matchedCount } = await rows.updateOne(guard, { $set: { ...outcome, updateTime: now } });
  return matchedCount === 1;
}

function leaseFrom(now: Date): Date {
  return new Date(now.getTime() + LEASE_MS);
}
