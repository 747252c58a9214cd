import type { Db } from "mongodb";
import { pageSize, pageToken, readPageToken } from "../page.ts";
import type { Role, Scope } from "../pure/scope.ts";
import { Refusal, refuseField } from "../refusal.ts";
import { makeKey, makeKeyId } from "./key.ts";
import { createKeyStore, type KeyRow, type KeyStore, keysMigration } from "./key-store.ts";

/** How long old secrets work on after a rotation that names no overlap, in milliseconds. */
export const KEY_OVERLAP_MS = 86_400_000;

/** Id of the key that was made before there was any; its uniqueness makes sure that there is one only. */
const BOOTSTRAP_ID = "bootstrap";

/** What the key functions work with. */
export interface KeyDeps {
  readonly store: KeyStore;
  readonly now: () => Date;
}

/** What a new key is to be. */
export interface NewKey {
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly accounts: readonly string[];
  readonly description: string;
  /** In milliseconds; undefined: until it is revoked. */
  readonly lifetimeMs: number | undefined;
}

/** A key and its text, which is shown once. */
export interface MadeKey {
  readonly row: KeyRow;
  readonly text: string;
}

/** Makes a key of the caller's tenant. Refuses role `service` from anybody but a service: it acts for every tenant. */
export async function createKey(deps: KeyDeps, scope: Scope, order: NewKey): Promise<MadeKey> {
  if (order.roles.includes("service") && !scope.roles.includes("service")) {
    throw refuseField("roles", "role service can only be given by a service", "ROLE_MISSING");
  }
  for (;;) {
    const made = newRow(scope, makeKeyId(), order, deps.now());
    // 80 random bits collide in fairy tales only; then another id is as good.
    if (await deps.store.insert(made.row)) return made;
  }
}

/** Reads a key. Refuses with KEY_NOT_FOUND, also for another tenant's. */
export async function getKey(deps: KeyDeps, scope: Scope, id: string): Promise<KeyRow> {
  return found(await deps.store.find(scope, id), id);
}

/** A page of keys by id. Refuses with INVALID_PAGE_TOKEN. */
export async function listKeys(
  deps: KeyDeps,
  scope: Scope,
  page: { readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly rows: readonly KeyRow[]; readonly nextPageToken: string }> {
  const filter = { list: "keys", tenant: scope.tenant };
  const [afterId = ""] = readPageToken(page.pageToken, filter, 1) ?? [];
  const limit = pageSize(page.pageSize);
  const rows = await deps.store.list(scope, { afterId, limit: limit + 1 });
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    rows: rows.slice(0, limit),
    nextPageToken: last ? pageToken(filter, [last._id.id]) : "",
  };
}

/** Ends a key. Refuses with KEY_NOT_FOUND. */
export async function revokeKey(deps: KeyDeps, scope: Scope, id: string): Promise<KeyRow> {
  return found(await deps.store.revoke(scope, id, deps.now()), id);
}

/** Gives a key a new secret; old ones end after the overlap, in milliseconds. Refuses with KEY_NOT_FOUND. */
export async function rotateKey(
  deps: KeyDeps,
  scope: Scope,
  id: string,
  overlapMs: number = KEY_OVERLAP_MS,
): Promise<MadeKey> {
  const now = deps.now();
  const { text, hash } = makeKey(id);
  const endOld = new Date(now.getTime() + overlapMs);
  return { row: found(await deps.store.rotate(scope, id, { hash, now, endOld }), id), text };
}

/**
 * Makes the first key, straight into the database: whoever can write there needs no other proof. Undefined when there
 * is any key already, also one that another bootstrap makes at this moment.
 */
export async function bootstrapKey(
  db: Db,
  tenant: string,
  order: NewKey,
  now: Date = new Date(),
): Promise<MadeKey | undefined> {
  await keysMigration.up(db);
  const store = createKeyStore(db);
  if (!(await store.isEmpty())) return undefined;
  const scope: Scope = { tenant, subject: BOOTSTRAP_ID, roles: ["service"] };
  const made = newRow(scope, BOOTSTRAP_ID, order, now);
  return (await store.insert(made.row)) ? made : undefined;
}

function newRow(scope: Scope, id: string, order: NewKey, now: Date): MadeKey {
  const { subject, roles, accounts, description, lifetimeMs } = order;
  const { text, hash } = makeKey(id);
  const row: KeyRow = {
    _id: { tenant: scope.tenant, id },
    subject,
    roles,
    accounts,
    description,
    secrets: [{ hash, expireTime: null }],
    createTime: now,
    createdBy: scope.subject,
    expireTime: lifetimeMs === undefined ? null : new Date(now.getTime() + lifetimeMs),
    revokeTime: null,
    rotateTime: null,
  };
  return { row, text };
}

function found(row: KeyRow | undefined, id: string): KeyRow {
  if (row !== undefined) return row;
  throw new Refusal("KEY_NOT_FOUND", { metadata: { key_id: id } });
}
