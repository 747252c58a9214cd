import type { Db } from "mongodb";
import { uuidv7 } from "../ids.ts";
import { type ListPage, type ListRequest, readList } from "../list/read-list.ts";
import type { ListSpec } from "../list/spec.ts";
import type { Role, Scope } from "../pure/scope.ts";
import { Refusal, refuseField } from "../refusal.ts";
import type { Sealer } from "../seal.ts";
import { makeKey, makeKeyId } from "./key.ts";
import { createKeyStore, type KeyRow, type KeyStore, keysMigration } from "./key-store.ts";

/** How long old secrets work on after a rotation that names no overlap, in milliseconds. */
export const KEY_OVERLAP_MS = 86_400_000;

/** Id of the key that was made before there was any; its uniqueness makes sure that there is one only. */
const BOOTSTRAP_ID = "bootstrap";

/** What the key functions work with. */
export interface KeyDeps {
  readonly store: KeyStore;
  /** Makes secrets out of the calls that ask for them, so that a call that runs twice makes one. */
  readonly sealer: Sealer;
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

/** A key and its text, which is stored nowhere. */
export interface MadeKey {
  readonly row: KeyRow;
  readonly text: string;
}

/** What ListKeys can be asked for. */
export const KEY_LIST: ListSpec = {
  name: "keys",
  fields: {
    key_id: "string",
    subject: "string",
    created_by: "string",
    create_time: "timestamp",
  },
  orders: {
    key_id: { descending: false, position: ["id"] },
    create_time: { descending: true, position: ["time", "id"] },
  },
};

/**
 * Refuses with ROLE_MISSING who may not see the secret of a key with these roles: role `service` acts for every
 * tenant, so only a service gives it. Asked before every answer, also before one to a repeat.
 */
export function checkRoles(scope: Scope, roles: readonly Role[], field: string): void {
  if (!roles.includes("service") || scope.roles.includes("service")) return;
  throw refuseField(field, "role service can only be given by a service", "ROLE_MISSING");
}

/** Makes a key of the caller's tenant, one per `callId`. */
export async function createKey(
  deps: KeyDeps,
  scope: Scope,
  order: NewKey,
  callId: string = uuidv7(),
): Promise<MadeKey> {
  const { tenant } = scope;
  const id = makeKeyId(deps.sealer.derive(`key id ${tenant} ${callId}`));
  const secret = deps.sealer.derive(`key secret ${tenant} ${callId}`);
  const { row, text } = newRow(scope, id, order, deps.now(), secret);
  // 80 random bits collide in fairy tales only: what is there was made by this call.
  if (await deps.store.insert(row)) return { row, text };
  return { row: await getKey(deps, scope, id), text };
}

/** Reads a key. Refuses with KEY_NOT_FOUND, also for another tenant's. */
export async function getKey(deps: KeyDeps, scope: Scope, id: string): Promise<KeyRow> {
  return found(await deps.store.find(scope, id), id);
}

/** A page of keys, by id unless asked otherwise. Refuses with INVALID_PAGE_TOKEN and INVALID_FIELD. */
export async function listKeys(
  deps: KeyDeps,
  scope: Scope,
  request: ListRequest,
): Promise<ListPage<KeyRow>> {
  return readList(KEY_LIST, scope, request, {
    find: (query) => deps.store.list(scope, query),
    positionOf: ({ _id: { id }, createTime }, order) =>
      order === "key_id" ? [id] : [createTime, id],
  });
}

/** Ends a key. Refuses with KEY_NOT_FOUND. */
export async function revokeKey(deps: KeyDeps, scope: Scope, id: string): Promise<KeyRow> {
  return found(await deps.store.revoke(scope, id, deps.now()), id);
}

/** Gives a key a new secret, one per `callId`; old ones end after the overlap, in milliseconds. Refuses with KEY_NOT_FOUND. */
export async function rotateKey(
  deps: KeyDeps,
  scope: Scope,
  id: string,
  overlapMs: number = KEY_OVERLAP_MS,
  callId: string = uuidv7(),
): Promise<MadeKey> {
  const now = deps.now();
  const secret = deps.sealer.derive(`key rotation ${scope.tenant} ${id} ${callId}`);
  const { text, hash } = makeKey(id, secret);
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

function newRow(scope: Scope, id: string, order: NewKey, now: Date, secret?: Buffer): MadeKey {
  const { subject, roles, accounts, description, lifetimeMs } = order;
  const { text, hash } = makeKey(id, secret);
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
