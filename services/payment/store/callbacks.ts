import { type Collection, type Db, MongoServerError } from "mongodb";
import { due } from "#kit/mongo/due.ts";
import { type Key, key } from "#kit/mongo/key.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { GatewayEventOutcome } from "../domain/gateway-event.ts";

/**
 * Where a stored callback is. RECEIVED: durable, nothing done yet. SIGNALLED: given to a running workflow, which may
 * still die before it records it. DONE: recorded by the run that ended the payment, reconciled, or not effective.
 */
export type CallbackState = "RECEIVED" | "SIGNALLED" | "DONE";

/** One callback of a provider. */
export interface StoredCallback {
  readonly tenant: string;
  /** `<provider>:<event id>`; unique, so that a repeat is stored once. */
  readonly callbackId: string;
  readonly eventId: string;
  readonly paymentId: string;
  readonly state: CallbackState;
  readonly outcome: GatewayEventOutcome;
  readonly gatewayReference: string;
  readonly reason: string;
  /** Why it has no effect, for example MISMATCH; else empty. */
  readonly ignored: string;
  readonly body: string;
  readonly createTime: Date;
  readonly updateTime: Date;
}

type CallbackRow = Omit<StoredCallback, "tenant" | "callbackId"> & { readonly _id: Key };
type Tenant = Pick<Scope, "tenant">;

function rows(db: Db): Collection<CallbackRow> {
  return db.collection<CallbackRow>("callbacks");
}

function toCallback(row: CallbackRow): StoredCallback {
  const { _id, ...rest } = row;
  return { tenant: _id.tenant, callbackId: _id.id, ...rest };
}

/** Stores a callback before it is answered. False when the provider sent it before. */
export async function insertCallback(db: Db, callback: StoredCallback): Promise<boolean> {
  const { tenant, callbackId, ...rest } = callback;
  try {
    await rows(db).insertOne({ _id: key({ tenant }, callbackId), ...rest });
    return true;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 11_000) return false;
    throw error;
  }
}

/** Notes that a run was told of these; a callback that is done stays done. */
export async function markSignalled(
  db: Db,
  scope: Tenant,
  callbacks: readonly Pick<StoredCallback, "callbackId">[],
): Promise<void> {
  if (callbacks.length === 0) return;
  const _id = { $in: callbacks.map(({ callbackId }) => key(scope, callbackId)) };
  await rows(db).updateMany(
    { _id, state: { $ne: "DONE" } },
    { $set: { state: "SIGNALLED", updateTime: new Date() } },
  );
}

/** Ends callbacks of a payment by their event ids. */
export async function finishCallbacks(
  db: Db,
  scope: Tenant,
  paymentId: string,
  eventIds: readonly string[],
): Promise<void> {
  if (eventIds.length === 0) return;
  await rows(db).updateMany(
    { "_id.tenant": scope.tenant, paymentId, eventId: { $in: [...eventIds] } },
    { $set: { state: "DONE", updateTime: new Date() } },
  );
}

/** Callbacks of a payment that are not done. */
export async function pendingCallbacks(
  db: Db,
  scope: Tenant,
  paymentId: string,
): Promise<StoredCallback[]> {
  const found = await rows(db)
    .find({ "_id.tenant": scope.tenant, paymentId, state: { $ne: "DONE" } })
    .limit(1_000)
    .toArray();
  return found.map(toCallback);
}

/** Callbacks in the state that nobody has looked at since then, oldest first. */
export async function dueCallbacks(
  db: Db,
  state: "RECEIVED" | "SIGNALLED",
  before: Date,
  limit: number,
): Promise<StoredCallback[]> {
  const found = await rows(db)
    .find({ state, ...due("updateTime", before) })
    .sort({ updateTime: 1 })
    .limit(limit)
    .toArray();
  return found.map(toCallback);
}

/** Puts the next look at these callbacks off. */
export async function touchCallbacks(db: Db, callbacks: readonly StoredCallback[]): Promise<void> {
  if (callbacks.length === 0) return;
  const _id = { $in: callbacks.map(({ tenant, callbackId }) => ({ tenant, id: callbackId })) };
  await rows(db).updateMany({ _id }, { $set: { updateTime: new Date() } });
}
