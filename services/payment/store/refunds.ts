import type { ClientSession, Collection, Db } from "mongodb";
import { KeyedQueue } from "#kit/keyed-queue.ts";
import type { ListQuery } from "#kit/list/spec.ts";
import { type Key, key } from "#kit/mongo/key.ts";
import { type ListColumns, listFilter, listSort, listWhere } from "#kit/mongo/list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { type Failure, type Payment, type Refund, refundable } from "../domain/payment.ts";
import { paymentRows, TIMELINE_MAX, toPayment } from "./payments.ts";

/** A refund as it lies in `refunds`. */
export type RefundRow = Omit<Refund, "tenant" | "refundId"> & { readonly _id: Key };

type Tenant = Pick<Scope, "tenant">;

/** The collection; other rooms get functions, never this. */
export function refundRows(db: Db): Collection<RefundRow> {
  return db.collection<RefundRow>("refunds");
}

/** A row as the domain knows it. */
export function toRefund(row: RefundRow): Refund {
  const { _id, ...rest } = row;
  return { tenant: _id.tenant, refundId: _id.id, ...rest };
}

/** One refund of the tenant. */
export async function findRefund(
  db: Db,
  scope: Tenant,
  refundId: string,
): Promise<Refund | undefined> {
  const row = await refundRows(db).findOne({ _id: key(scope, refundId) });
  return row ? toRefund(row) : undefined;
}

const COLUMNS: ListColumns = {
  fields: {
    refund_id: "_id.id",
    status: "status",
    "amount.minor_units": "amount",
    create_time: "createTime",
  },
  sorts: { create_time: ["_id.id"] },
};

/** A page of a payment's refunds. */
export async function listRefunds(
  db: Db,
  scope: Tenant,
  paymentId: string,
  query: ListQuery,
): Promise<Refund[]> {
  const filter = listWhere<RefundRow>([{ paymentId }, listFilter(scope, query, COLUMNS)]);
  const rows = refundRows(db).find(filter).sort(listSort(query, COLUMNS)).limit(query.limit);
  return (await rows.toArray()).map(toRefund);
}

/** What reserving answers: the refund, or how the payment stands so that the caller can say why not. */
export type Reservation =
  | { readonly refund: Refund }
  | { readonly refused: "NOT_REFUNDABLE" | "REFUND_EXCEEDS_CAPTURED" };

/**
 * Inserts the refund together with its reservation on the payment, in one majority transaction. Two refunds that race
 * both change the payment's row, so one of them is retried against the other's reservation and the sum never passes
 * what was captured. A refund id that is known changes nothing.
 */
export async function reserveRefund(
  db: Db,
  refund: Omit<Refund, "amount">,
  amount: bigint | undefined,
): Promise<Reservation> {
  return onPayment(db, refund, async (session) => {
    const scope = { tenant: refund.tenant };
    const known = await refundRows(db).findOne({ _id: key(scope, refund.refundId) }, { session });
    if (known) return { refund: toRefund(known) };
    const row = await paymentRows(db).findOne({ _id: key(scope, refund.paymentId) }, { session });
    const refused = row ? refusal(toPayment(row), amount) : "NOT_REFUNDABLE";
    if (!row || refused) return { refused: refused ?? "NOT_REFUNDABLE" };
    const reserved = amount ?? refundable(toPayment(row));
    await paymentRows(db).updateOne(
      { _id: row._id },
      { $inc: { reservedAmount: reserved, version: 1n }, $set: { updateTime: refund.createTime } },
      { session },
    );
    const { tenant, refundId, ...rest } = refund;
    const inserted: RefundRow = { _id: key({ tenant }, refundId), ...rest, amount: reserved };
    await refundRows(db).insertOne(inserted, { session });
    return { refund: toRefund(inserted) };
  });
}

function refusal(
  payment: Payment,
  amount: bigint | undefined,
): "NOT_REFUNDABLE" | "REFUND_EXCEEDS_CAPTURED" | undefined {
  if (payment.status !== "SUCCEEDED" && payment.status !== "PARTIALLY_REFUNDED") {
    return payment.status === "REFUNDED" ? "REFUND_EXCEEDS_CAPTURED" : "NOT_REFUNDABLE";
  }
  const left = refundable(payment);
  return left <= 0n || (amount !== undefined && amount > left)
    ? "REFUND_EXCEEDS_CAPTURED"
    : undefined;
}

/**
 * Ends a refund and moves its reservation to refunded, or drops it, in one transaction: the rows can never disagree.
 * A refund that has ended already is answered as it is.
 */
export async function finishRefund(
  db: Db,
  scope: Tenant,
  refundId: string,
  failure: Failure | null,
): Promise<Refund | undefined> {
  const refund = await findRefund(db, scope, refundId);
  if (refund === undefined) return undefined;
  return onPayment(db, refund, async (session) => {
    const row = await refundRows(db).findOne({ _id: key(scope, refundId) }, { session });
    if (row?.status !== "PENDING") return row ? toRefund(row) : undefined;
    const now = new Date();
    const ended: Partial<RefundRow> = failure
      ? { status: "FAILED", failure, updateTime: now }
      : { status: "SUCCEEDED", notify: "refunded", updateTime: now };
    await refundRows(db).updateOne(
      { _id: row._id },
      { $set: ended, $inc: { version: 1n } },
      { session },
    );
    await settleReservation(db, session, key(scope, row.paymentId), row, failure === null);
    return toRefund({ ...row, ...ended, version: row.version + 1n });
  });
}

async function settleReservation(
  db: Db,
  session: ClientSession,
  _id: Key,
  refund: RefundRow,
  succeeded: boolean,
): Promise<void> {
  const payment = await paymentRows(db).findOne({ _id }, { session });
  if (!payment) throw new Error(`refund ${refund._id.id} has no payment`);
  const now = new Date();
  if (!succeeded) {
    await paymentRows(db).updateOne(
      { _id },
      { $inc: { reservedAmount: -refund.amount, version: 1n }, $set: { updateTime: now } },
      { session },
    );
    return;
  }
  const refundedAmount = payment.refundedAmount + refund.amount;
  const status = refundedAmount === payment.capturedAmount ? "REFUNDED" : "PARTIALLY_REFUNDED";
  const entry = { time: now, status, step: "DONE", message: "" } as const;
  const last = payment.timeline.length - 1;
  const told =
    last < TIMELINE_MAX
      ? { timeline: [...payment.timeline, { ...entry, message: refunded(refund.amount, refund) }] }
      : // One entry for all further refunds; ListRefunds has each of them.
        {
          [`timeline.${last}`]: { ...entry, message: `${refunded(refundedAmount, refund)} in all` },
        };
  await paymentRows(db).updateOne(
    { _id },
    {
      $set: { status, refundedAmount, updateTime: now, ...told },
      $inc: { reservedAmount: -refund.amount, version: 1n },
    },
    { session },
  );
}

function refunded(amount: bigint, { currencyCode }: RefundRow): string {
  return `refunded ${amount} ${currencyCode} minor units`;
}

/** Clears a pending notification once it is stored. */
export async function clearRefundNotify(db: Db, scope: Tenant, refundId: string): Promise<void> {
  await refundRows(db).updateOne({ _id: key(scope, refundId) }, { $set: { notify: null } });
}

/** Fifty refunds of one payment at once would abort each other for seconds. */
const turns = new KeyedQueue();

/** One transaction on a payment's rows, in its turn. */
async function onPayment<T>(
  db: Db,
  { tenant, paymentId }: Pick<Refund, "tenant" | "paymentId">,
  run: (session: ClientSession) => Promise<T>,
): Promise<T> {
  return turns.run(`${db.databaseName} ${tenant} ${paymentId}`, () =>
    db.client.withSession((session) =>
      session.withTransaction(() => run(session), {
        readConcern: { level: "snapshot" },
        writeConcern: { w: "majority", journal: true },
      }),
    ),
  );
}
