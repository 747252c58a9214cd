import {
  type Collection,
  type Db,
  type Filter,
  MongoServerError,
  type UpdateFilter,
} from "mongodb";
import type { ListQuery } from "#kit/list/spec.ts";
import { type Key, key } from "#kit/mongo/key.ts";
import { type ListColumns, listFilter, listSort, listWhere } from "#kit/mongo/list.ts";
import { startsWithOld } from "#kit/mongo/oldest.ts";
import { mayUse, type Scope } from "#kit/pure/scope.ts";
import type {
  DecidedPhase,
  Failure,
  Payment,
  PaymentEvent,
  PaymentStatus,
  PaymentStep,
  Phase,
} from "../domain/payment.ts";

/** A payment as it lies in `payments`; ids in the key, everything else as in the domain. */
export type PaymentRow = Omit<Payment, "tenant" | "paymentId"> & { readonly _id: Key };

type Tenant = Pick<Scope, "tenant">;
/** A payer finds the payments of its own accounts only. */
type Reader = Pick<Scope, "tenant" | "accounts">;

/** The collection; other rooms get functions, never this. */
export function paymentRows(db: Db): Collection<PaymentRow> {
  return db.collection<PaymentRow>("payments");
}

/** A row as the domain knows it. */
export function toPayment(row: PaymentRow): Payment {
  const { _id, ...rest } = row;
  return { tenant: _id.tenant, paymentId: _id.id, ...rest };
}

/**
 * Stores an accepted payment. Two creates with one request_id race on the unique index: the loser gets the winner's row.
 */
export async function insertPayment(
  db: Db,
  payment: Payment,
): Promise<{ readonly inserted: boolean; readonly payment: Payment }> {
  const { tenant, paymentId, ...rest } = payment;
  const old = await findOld(db, payment);
  if (old !== undefined) return { inserted: false, payment: old };
  try {
    await paymentRows(db).insertOne({ _id: key({ tenant }, paymentId), ...rest });
    return { inserted: true, payment };
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === 11_000)) throw error;
    const existing = await findByRequestId(db, payment);
    if (existing === undefined) throw error;
    return { inserted: false, payment: existing };
  }
}

/** The payment that a request_id of the subject made, if any. */
async function findByRequestId(
  db: Db,
  { tenant, subject, requestId }: Pick<Payment, "tenant" | "subject" | "requestId">,
): Promise<Payment | undefined> {
  const row = await paymentRows(db).findOne({ "_id.tenant": tenant, subject, requestId });
  return row ? toPayment(row) : undefined;
}

/** The payment that the request_id made before it was kept by whom, if any. */
async function findOld(db: Db, payment: Payment): Promise<Payment | undefined> {
  const rows = paymentRows(db);
  const old = await startsWithOld(rows, ({ subject }) => subject === "");
  return old ? findByRequestId(db, { ...payment, subject: "" }) : undefined;
}

/** One payment that the caller may see. */
export async function findPayment(
  db: Db,
  scope: Reader,
  paymentId: string,
): Promise<Payment | undefined> {
  const row = await paymentRows(db).findOne({ _id: key(scope, paymentId) });
  return row && mayUse(scope, row.accountId) ? toPayment(row) : undefined;
}

const COLUMNS: ListColumns = {
  fields: {
    payment_id: "_id.id",
    account_id: "accountId",
    order_id: "orderId",
    status: "status",
    capture_mode: "captureMode",
    "amount.currency_code": "currencyCode",
    "amount.minor_units": "amount",
    create_time: "createTime",
  },
  sorts: { create_time: ["_id.id"] },
};

/** A page. Ids are UUIDv7, so their order is that of creation and one index serves both. */
export async function listPayments(db: Db, scope: Reader, query: ListQuery): Promise<Payment[]> {
  const own = scope.accounts ? [{ accountId: { $in: scope.accounts } }] : [];
  const filter = listWhere<PaymentRow>([listFilter(scope, query, COLUMNS), ...own]);
  const rows = paymentRows(db).find(filter).sort(listSort(query, COLUMNS)).limit(query.limit);
  return (await rows.toArray()).map(toPayment);
}

/** One change of the row: what is set, and how it reads on the timeline. */
interface Change {
  readonly status: PaymentStatus;
  readonly step: PaymentStep;
  readonly message: string;
  readonly set?: Partial<Omit<PaymentRow, "_id" | "version" | "timeline">>;
}

/** Most entries a timeline gets before its end; refunds beyond them share the last one. */
export const TIMELINE_MAX = 50;

function update(change: Change): UpdateFilter<PaymentRow> {
  const now = new Date();
  const { status, step, message } = change;
  return {
    $set: { ...change.set, status, step, updateTime: now },
    $inc: { version: 1n },
    // The first entries stay: the answer to Create is made of them. An end always has its place.
    $push: {
      timeline: {
        $each: [{ time: now, status, step, message }],
        ...(step === "DONE" ? {} : { $slice: TIMELINE_MAX }),
      },
    },
  };
}

/** Changes the row if the condition still holds, and answers the row as it is then, changed or not. */
async function changeIf(
  db: Db,
  scope: Tenant,
  paymentId: string,
  condition: Filter<PaymentRow>,
  change: Change,
): Promise<{ readonly changed: boolean; readonly payment: Payment | undefined }> {
  const _id = key(scope, paymentId);
  const row = await paymentRows(db).findOneAndUpdate({ ...condition, _id }, update(change), {
    returnDocument: "after",
  });
  if (row) return { changed: true, payment: toPayment(row) };
  return { changed: false, payment: await findPayment(db, scope, paymentId) };
}

/**
 * The linearization point of a payment: the first phase written wins, against any interleaving of capture, cancel,
 * timers, recover and re-runs of a lost task. Answers the row; the caller follows its phase, whatever it proposed. With
 * a version nothing is written to any other one.
 */
export async function claimPhase(
  db: Db,
  scope: Tenant,
  paymentId: string,
  phase: DecidedPhase,
  version?: bigint,
): Promise<Payment | undefined> {
  const capturing = phase.kind === "CAPTURING";
  const { payment } = await changeIf(
    db,
    scope,
    paymentId,
    { "phase.kind": "OPEN", final: false, ...(version === undefined ? {} : { version }) },
    {
      status: "PROCESSING",
      step: capturing ? "CAPTURE" : "COMPENSATE",
      message: capturing ? "authorised and checked; taking the money" : `undoing: ${phase.reason}`,
      set: { phase },
    },
  );
  return payment;
}

/** Writes that an undecided payment waits. Does nothing once it is decided: a late park must not hide the phase. */
export async function parkPayment(
  db: Db,
  scope: Tenant,
  paymentId: string,
  change: Change,
): Promise<Payment | undefined> {
  return (await changeIf(db, scope, paymentId, { "phase.kind": "OPEN", final: false }, change))
    .payment;
}

/** The end of a payment. Only the first one is written; a repeat finds it. */
export async function finishPayment(
  db: Db,
  scope: Tenant,
  paymentId: string,
  end: {
    readonly status: PaymentStatus;
    readonly message: string;
    readonly failure: Failure | null;
    readonly capturedAmount: bigint;
    /** The provider's own id, where this end learnt it. */
    readonly gatewayReference?: string;
    readonly notify: PaymentEvent;
    /** Phases from which this end is reached, so that no other branch can write it. */
    readonly from: Filter<PaymentRow>;
    readonly phase?: Phase;
  },
): Promise<Payment | undefined> {
  const finalTime = new Date();
  const { payment } = await changeIf(
    db,
    scope,
    paymentId,
    { ...end.from, final: false },
    {
      status: end.status,
      step: "DONE",
      message: end.message,
      set: {
        final: true,
        finalTime,
        failure: end.failure,
        capturedAmount: end.capturedAmount,
        notify: end.notify,
        ...(end.gatewayReference ? { gatewayReference: end.gatewayReference } : {}),
        ...(end.phase ? { phase: end.phase } : {}),
      },
    },
  );
  return payment;
}

/** Clears a pending notification once it is stored. No timeline entry: nothing happened to the payment. */
export async function clearNotify(
  db: Db,
  scope: Tenant,
  paymentId: string,
  event: string,
): Promise<void> {
  await paymentRows(db).updateOne(
    { _id: key(scope, paymentId), notify: event as PaymentEvent },
    { $set: { notify: null } },
  );
}
