import type { Db } from "mongodb";
import { due } from "#kit/mongo/due.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import { paymentRows, toPayment } from "./payments.ts";
import { refundRows, toRefund } from "./refunds.ts";

/** Payments that should have ended by now, oldest first. */
export async function duePayments(db: Db, now: Date, limit: number): Promise<Payment[]> {
  const rows = await paymentRows(db)
    .find({ final: false, ...due("sweepTime", now) })
    .sort({ sweepTime: 1 })
    .limit(limit)
    .toArray();
  return rows.map(toPayment);
}

/** Refunds that should have ended by now, oldest first. */
export async function dueRefunds(db: Db, now: Date, limit: number): Promise<Refund[]> {
  const rows = await refundRows(db)
    .find({ status: "PENDING", ...due("sweepTime", now) })
    .sort({ sweepTime: 1 })
    .limit(limit)
    .toArray();
  return rows.map(toRefund);
}

/** A row and when the sweeper looks at it next. */
export interface NextLook {
  readonly tenant: string;
  readonly id: string;
  readonly time: Date;
}

/** Puts the next look at these rows off, each to its time. */
export async function postpone(
  db: Db,
  collection: "payments" | "refunds",
  looks: readonly NextLook[],
): Promise<void> {
  if (looks.length === 0) return;
  const updates = looks.map(({ tenant, id, time }) => ({
    updateOne: { filter: { _id: { tenant, id } }, update: { $set: { sweepTime: time } } },
  }));
  if (collection === "payments") await paymentRows(db).bulkWrite(updates, { ordered: false });
  else await refundRows(db).bulkWrite(updates, { ordered: false });
}

/** Final payments and refunds whose message is not stored although it should be. */
export async function untold(db: Db, before: Date, limit: number): Promise<(Payment | Refund)[]> {
  const payments = await paymentRows(db)
    .find({ notify: { $type: "string" }, ...due("updateTime", before) })
    .limit(limit)
    .toArray();
  const refunds = await refundRows(db)
    .find({ notify: { $type: "string" }, ...due("updateTime", before) })
    .limit(limit)
    .toArray();
  return [...payments.map(toPayment), ...refunds.map(toRefund)];
}

/** How many payments and refunds are not final. */
export async function countOpen(
  db: Db,
): Promise<{ readonly openPayments: number; readonly openRefunds: number }> {
  return {
    openPayments: await paymentRows(db).countDocuments({ final: false }),
    openRefunds: await refundRows(db).countDocuments({ status: "PENDING" }),
  };
}
