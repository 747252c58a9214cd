import type { Db } from "mongodb";
import type { Payment, Refund } from "../domain/payment.ts";
import { paymentRows, toPayment } from "./payments.ts";
import { refundRows, toRefund } from "./refunds.ts";

/** Payments that should have ended by now, oldest first. */
export async function duePayments(db: Db, now: Date, limit: number): Promise<Payment[]> {
  const rows = await paymentRows(db)
    .find({ final: false, sweepTime: { $lte: now } })
    .sort({ sweepTime: 1 })
    .limit(limit)
    .toArray();
  return rows.map(toPayment);
}

/** Refunds that should have ended by now, oldest first. */
export async function dueRefunds(db: Db, now: Date, limit: number): Promise<Refund[]> {
  const rows = await refundRows(db)
    .find({ status: "PENDING", sweepTime: { $lte: now } })
    .sort({ sweepTime: 1 })
    .limit(limit)
    .toArray();
  return rows.map(toRefund);
}

/** Puts the next look at these rows off. */
export async function postpone(
  db: Db,
  collection: "payments" | "refunds",
  rows: readonly { readonly tenant: string; readonly id: string }[],
  until: Date,
): Promise<void> {
  if (rows.length === 0) return;
  const _id = { $in: rows.map(({ tenant, id }) => ({ tenant, id })) };
  if (collection === "payments")
    await paymentRows(db).updateMany({ _id }, { $set: { sweepTime: until } });
  else await refundRows(db).updateMany({ _id }, { $set: { sweepTime: until } });
}

/** Final payments and refunds whose message is not stored although it should be. */
export async function untold(db: Db, before: Date, limit: number): Promise<(Payment | Refund)[]> {
  const payments = await paymentRows(db)
    .find({ notify: { $type: "string" }, updateTime: { $lte: before } })
    .limit(limit)
    .toArray();
  const refunds = await refundRows(db)
    .find({ notify: { $type: "string" }, updateTime: { $lte: before } })
    .limit(limit)
    .toArray();
  return [...payments.map(toPayment), ...refunds.map(toRefund)];
}

/** How many payments and refunds are not final. */
export async function countOpen(
  db: Db,
): Promise<{ readonly payments: number; readonly refunds: number }> {
  return {
    payments: await paymentRows(db).countDocuments({ final: false }),
    refunds: await refundRows(db).countDocuments({ status: "PENDING" }),
  };
}
