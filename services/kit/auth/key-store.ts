import type { Collection, Db } from "mongodb";
import { requestsMigrations } from "../idempotency/request.ts";
import type { ListQuery } from "../list/spec.ts";
import { type Key, key } from "../mongo/key.ts";
import { type ListColumns, listFilter, listSort } from "../mongo/list.ts";
import { ensureCollection, type Migration } from "../mongo/migrate.ts";
import { dateOrNull, openKey, text } from "../mongo/schema.ts";
import type { Role, Scope } from "../pure/scope.ts";

/** Name of the database the keys lie in, for `platform.database`. Every service reads it, only KeyService writes. */
export const KEYS_DATABASE = "edge";

/** One secret of a key; two while it is rotated. */
export interface KeySecret {
  /** SHA-256 of the secret part. */
  readonly hash: string;
  /** From when on it is refused; null: as long as the key. */
  readonly expireTime: Date | null;
}

/** A key as it lies in `keys`. The secret itself is never stored. */
export interface KeyRow {
  readonly _id: Key;
  /** Who calls with it. */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** What it may see as a payer. */
  readonly accounts: readonly string[];
  readonly description: string;
  readonly secrets: readonly KeySecret[];
  readonly createTime: Date;
  /** Who made it: another key's subject, or `bootstrap`. */
  readonly createdBy: string;
  readonly expireTime: Date | null;
  readonly revokeTime: Date | null;
  readonly rotateTime: Date | null;
}

type Tenant = Pick<Scope, "tenant">;

/** The keys of all tenants. */
export interface KeyStore {
  /** By its public id alone: a key is what tells the tenant. */
  byId(id: string): Promise<KeyRow | undefined>;
  /** False when the id is taken. */
  insert(row: KeyRow): Promise<boolean>;
  find(scope: Tenant, id: string): Promise<KeyRow | undefined>;
  list(scope: Tenant, query: ListQuery): Promise<KeyRow[]>;
  /** Keeps the first time when it is revoked already. */
  revoke(scope: Tenant, id: string, now: Date): Promise<KeyRow | undefined>;
  /**
   * Puts a new secret first, once; the ones before end at `endOld`. Undefined for an unknown or revoked key.
   */
  rotate(scope: Tenant, id: string, change: Rotation): Promise<KeyRow | undefined>;
  isEmpty(): Promise<boolean>;
}

/** A rotation: the new secret, and until when old ones are good. */
export interface Rotation {
  readonly hash: string;
  readonly now: Date;
  readonly endOld: Date;
}

/** Opens the collection `keys`. */
export function createKeyStore(db: Db): KeyStore {
  const rows = db.collection<KeyRow>("keys");
  return {
    byId: async (id) => (await rows.findOne({ "_id.id": id })) ?? undefined,
    insert: (row) => insert(rows, row),
    find: async (scope, id) => (await rows.findOne({ _id: key(scope, id) })) ?? undefined,
    list: (scope, query) =>
      rows
        .find(listFilter<KeyRow>(scope, query, COLUMNS))
        .sort(listSort(query, COLUMNS))
        .limit(query.limit)
        .toArray(),
    async revoke(scope, id, now) {
      const _id = key(scope, id);
      await rows.updateOne({ _id, revokeTime: null }, { $set: { revokeTime: now } });
      return (await rows.findOne({ _id })) ?? undefined;
    },
    rotate: (scope, id, change) => rotate(rows, scope, id, change),
    isEmpty: async () => (await rows.findOne({}, { projection: { _id: 1 } })) === null,
  };
}

const COLUMNS: ListColumns = {
  fields: {
    key_id: "_id.id",
    subject: "subject",
    created_by: "createdBy",
    create_time: "createTime",
  },
  sorts: { key_id: ["_id.id"], create_time: ["createTime", "_id.id"] },
};

async function insert(rows: Collection<KeyRow>, row: KeyRow): Promise<boolean> {
  try {
    await rows.insertOne(row);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === 11_000) return false;
    throw error;
  }
}

/** One write that reads the old secrets where they lie, so that two rotations at once lose none. */
async function rotate(
  rows: Collection<KeyRow>,
  scope: Tenant,
  id: string,
  { hash, now, endOld }: Rotation,
): Promise<KeyRow | undefined> {
  const ended = {
    hash: "$$old.hash",
    // null is the smallest value of all: it must not win.
    expireTime: { $min: [{ $ifNull: ["$$old.expireTime", endOld] }, endOld] },
  };
  const living = {
    $filter: {
      input: "$secrets",
      as: "old",
      cond: { $or: [{ $eq: ["$$old.expireTime", null] }, { $gt: ["$$old.expireTime", now] }] },
    },
  };
  const present = { _id: key(scope, id), revokeTime: null };
  const row = await rows.findOneAndUpdate(
    { ...present, "secrets.hash": { $ne: hash } },
    [
      {
        $set: {
          secrets: {
            $concatArrays: [
              [{ hash, expireTime: null }],
              { $map: { input: living, as: "old", in: ended } },
            ],
          },
          rotateTime: now,
        },
      },
    ],
    { returnDocument: "after" },
  );
  // It has the secret already when the same call ran before.
  return row ?? (await rows.findOne({ ...present, "secrets.hash": hash })) ?? undefined;
}

/**
 * The collection and its indexes. Idempotent, so that the first key can be made before any service has started.
 * The index on the id alone is the one unique index that does not begin with the tenant: the key is what tells it.
 */
export const keysMigration: Migration = {
  id: "001-keys",
  async up(db) {
    await ensureCollection(db, "keys", {
      bsonType: "object",
      required: ["_id", "subject", "roles", "accounts", "secrets", "createTime", "revokeTime"],
      properties: {
        _id: openKey,
        subject: text,
        roles: { bsonType: "array", items: text },
        accounts: { bsonType: "array", items: text },
        secrets: {
          bsonType: "array",
          minItems: 1,
          items: {
            bsonType: "object",
            required: ["hash", "expireTime"],
            properties: { hash: text, expireTime: dateOrNull },
          },
        },
        expireTime: dateOrNull,
        revokeTime: dateOrNull,
        rotateTime: dateOrNull,
      },
    });
    await db.collection("keys").createIndex({ "_id.id": 1 }, { unique: true });
    await db.collection("keys").createIndex({ "_id.tenant": 1, "_id.id": 1 });
  },
};

/** All of the database `KEYS_DATABASE`, step by step. */
export const keyMigrations: readonly Migration[] = [
  keysMigration,
  {
    id: "002-keys-by-time",
    async up(db) {
      await db.collection("keys").createIndex({ "_id.tenant": 1, createTime: 1, "_id.id": 1 });
    },
  },
  ...requestsMigrations,
];
