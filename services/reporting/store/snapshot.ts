import {
  type AggregateOptions,
  type ClientSession,
  type Collection,
  type Db,
  type Document,
  MaxKey,
  type MongoClient,
  MongoServerError,
  ReadConcern,
  Timestamp,
} from "mongodb";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";

/** Rows in one round trip, and payments that are put together at once. */
export const BATCH_ROWS = 500;

/** Only the tenant of a scope matters to a read. */
export type Tenant = Pick<Scope, "tenant">;

/** The databases of the services at one moment, for one tenant. */
export interface Snapshot extends AsyncDisposable {
  /** When the moment is, to the second. */
  readonly time: Date;
  /** Matches the tenant's documents by the `_id` index, in the order of their ids. */
  readonly range: Document;
  collection(service: string, name: string): Collection<Document>;
  /** Reads in the snapshot, in batches. */
  stream(
    collection: Collection<Document>,
    pipeline: Document[],
  ): AsyncGenerator<readonly Document[]>;
  /** Rows by their ids, in the snapshot. */
  byIds(
    collection: Collection<Document>,
    ids: readonly string[],
    /** The only fields that are read; absent: all. */
    fields?: readonly string[],
  ): Promise<readonly Document[]>;
}

/**
 * Opens one snapshot over all databases: a snapshot session reads every one of them at the same cluster time, which
 * the first read fixes. MongoDB keeps that time for 5 minutes by default; longer audits end with SNAPSHOT_LOST.
 */
export async function openSnapshot(
  client: MongoClient,
  database: (service: string) => string,
  tenant: Tenant,
): Promise<Snapshot> {
  const session = client.startSession({ snapshot: true });
  const readConcern = new ReadConcern("snapshot");
  const db = (service: string): Db => client.db(database(service), { readConcern });
  const collection = (service: string, name: string): Collection<Document> =>
    db(service).collection(name);
  try {
    await collection("payment", "payments").findOne({}, { session, projection: { _id: 1 } });
    return {
      time: timeOf(session),
      range: {
        _id: {
          $gte: { ...tenantKey(tenant), id: "" },
          $lt: { ...tenantKey(tenant), id: new MaxKey() },
        },
      },
      collection,
      stream: (from, pipeline) => stream(from, pipeline, session),
      byIds: async (from, ids, fields) =>
        ids.length === 0 ? [] : readAll(from, idsOf(tenant, ids), fields, session),
      [Symbol.asyncDispose]: () => session.endSession(),
    };
  } catch (error) {
    await session.endSession();
    throw lost(error);
  }
}

/** Matches the documents with these ids. */
export function idsOf(tenant: Tenant, ids: readonly string[]): Document {
  return { _id: { $in: ids.map((id) => ({ ...tenantKey(tenant), id })) } };
}

function tenantKey({ tenant }: Tenant): { readonly tenant: string } {
  return { tenant };
}

async function readAll(
  collection: Collection<Document>,
  filter: Document,
  fields: readonly string[] | undefined,
  session: ClientSession,
): Promise<readonly Document[]> {
  const projection = fields && { projection: Object.fromEntries(fields.map((name) => [name, 1])) };
  try {
    // As many as there are: the ids bound them.
    return await collection.find(filter, { session, ...projection }).toArray();
  } catch (error) {
    throw lost(error);
  }
}

async function* stream(
  collection: Collection<Document>,
  pipeline: Document[],
  session: ClientSession,
): AsyncGenerator<readonly Document[]> {
  const options: AggregateOptions = { session, allowDiskUse: true, batchSize: BATCH_ROWS };
  const cursor = collection.aggregate(pipeline, options);
  try {
    let batch: Document[] = [];
    for await (const row of cursor) {
      batch.push(row);
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } catch (error) {
    throw lost(error);
  } finally {
    await cursor.close();
  }
}

function timeOf(session: ClientSession): Date {
  const time = "snapshotTime" in session ? session.snapshotTime : undefined;
  if (!(time instanceof Timestamp)) throw new Error("a snapshot read came back without its time");
  return new Date(time.getHighBitsUnsigned() * 1000);
}

const SNAPSHOT_TOO_OLD = 239;
const SNAPSHOT_UNAVAILABLE = 246;

/** The server could not keep, or not yet give, the moment: the next audit takes a new one. */
function lost(error: unknown): unknown {
  const gone =
    error instanceof MongoServerError &&
    (error.code === SNAPSHOT_TOO_OLD || error.code === SNAPSHOT_UNAVAILABLE);
  return gone ? new Refusal("SNAPSHOT_LOST", { cause: error }) : error;
}
