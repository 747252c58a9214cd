import type { Document } from "mongodb";
import type { RepeatedNotice } from "../application/books.ts";
import {
  FINAL_EVENTS,
  finalEventOf,
  namesOf,
  type PaymentCase,
  type RefundBook,
} from "../domain/books.ts";
import { HOLD_FIELDS, NOTICE_FIELDS, PAYMENT_FIELDS, TRANSFER_FIELDS } from "./fields.ts";
import {
  checkBook,
  holdBook,
  idOf,
  noticeBook,
  paymentBook,
  refundBook,
  text,
  transferBook,
  units,
} from "./rows.ts";
import type { Snapshot, Tenant } from "./snapshot.ts";

/** How many payments there are; counted by the index. */
export async function countPayments(snapshot: Snapshot): Promise<bigint> {
  const pipeline = [{ $match: snapshot.range }, { $count: "payments" }];
  const payments = snapshot.collection("payment", "payments");
  for await (const [row] of snapshot.stream(payments, pipeline)) return units(row?.["payments"]);
  return 0n;
}

/** Every payment with all that belongs to it, a batch at a time, by payment id. */
export async function* readPayments(
  snapshot: Snapshot,
  tenant: Tenant,
): AsyncGenerator<readonly PaymentCase[]> {
  const pipeline = [
    { $match: snapshot.range },
    { $sort: { _id: 1 } },
    { $project: Object.fromEntries(PAYMENT_FIELDS.map((name) => [name, 1])) },
  ];
  const batches = snapshot.stream(snapshot.collection("payment", "payments"), pipeline);
  // One batch is put together while the one before is judged.
  let ahead: Promise<readonly PaymentCase[]> | undefined;
  for await (const batch of batches) {
    const next = complete(snapshot, tenant, batch);
    // Awaited in the next turn; without this line a failure before that would end the process.
    next.catch(() => undefined);
    if (ahead !== undefined) yield await ahead;
    ahead = next;
  }
  if (ahead !== undefined) yield await ahead;
}

async function complete(
  snapshot: Snapshot,
  tenant: Tenant,
  batch: readonly Document[],
): Promise<readonly PaymentCase[]> {
  const ids = batch.map(idOf);
  const refunds = await readRefunds(snapshot, tenant, ids);
  const refundIds = [...refunds.values()].flat().map(({ refundId }) => refundId);
  const account = (name: string) => snapshot.collection("account", name);
  const [holds, transfers, notices, checks, open] = await Promise.all([
    snapshot.byIds(account("holds"), ids.map(namesOf.hold), HOLD_FIELDS),
    readTransfers(snapshot, transferIds(ids, refundIds)),
    snapshot.byIds(
      snapshot.collection("notification", "notifications"),
      noticeIds(batch, refundIds),
      NOTICE_FIELDS,
    ),
    snapshot.byIds(snapshot.collection("fraud", "checks"), ids.map(namesOf.fraudCheck), [
      "decision",
      "tallied",
    ]),
    readOpenCallbacks(snapshot, tenant, ids),
  ]);
  const holdOf = mapOf(holds, holdBook);
  const transferOf = mapOf(transfers, transferBook);
  const noticeOf = mapOf(notices, noticeBook);
  const checkOf = mapOf(checks, checkBook);
  return batch.map((row) => {
    const payment = paymentBook(row);
    const { paymentId } = payment;
    const own = refunds.get(paymentId) ?? [];
    const ownRefundIds = own.map(({ refundId }) => refundId);
    return {
      payment,
      refunds: own,
      hold: holdOf.get(namesOf.hold(paymentId)),
      transfers: pick(transferOf, withReversals(transferIds([paymentId], ownRefundIds))),
      notices: pick(noticeOf, noticeIds([row], ownRefundIds)),
      check: checkOf.get(namesOf.fraudCheck(paymentId)),
      callbackOpen: open.has(paymentId),
    };
  });
}

/** All transactions that payments and refunds can have. */
function transferIds(
  paymentIds: readonly string[],
  refundIds: readonly string[],
): readonly string[] {
  return [
    ...paymentIds.flatMap((id) => [namesOf.capture(id), namesOf.suspense(id)]),
    ...refundIds.flatMap((id) => [namesOf.refund(id), namesOf.refundSuspense(id)]),
  ];
}

function withReversals(ids: readonly string[]): readonly string[] {
  return [...ids, ...ids.map(namesOf.reversal)];
}

/** Transfers, and the reversals of those that are there: only what landed can have been reversed. */
async function readTransfers(
  snapshot: Snapshot,
  ids: readonly string[],
): Promise<readonly Document[]> {
  const transfers = snapshot.collection("account", "transfers");
  const found = await snapshot.byIds(transfers, ids, TRANSFER_FIELDS);
  const undone = found.map(idOf).map(namesOf.reversal);
  const reversals = await snapshot.byIds(transfers, undone, TRANSFER_FIELDS);
  return [...found, ...reversals];
}

/** The messages that must be there; a message about another end shows up as the payment's second one. */
function noticeIds(payments: readonly Document[], refundIds: readonly string[]): readonly string[] {
  const final = payments.flatMap((row) => {
    const event = finalEventOf(text(row["status"]));
    return event === undefined ? [] : [namesOf.notice(idOf(row), event.event)];
  });
  return [...final, ...refundIds.map((id) => namesOf.notice(id, "refunded"))];
}

async function readRefunds(
  snapshot: Snapshot,
  { tenant }: Tenant,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, readonly RefundBook[]>> {
  const refunds = new Map<string, RefundBook[]>();
  const match = { "_id.tenant": tenant, paymentId: { $in: [...paymentIds] } };
  for await (const rows of snapshot.stream(snapshot.collection("payment", "refunds"), [
    { $match: match },
  ])) {
    for (const row of rows) {
      const paymentId = text(row["paymentId"]);
      refunds.set(paymentId, [...(refunds.get(paymentId) ?? []), refundBook(row)]);
    }
  }
  return refunds;
}

async function readOpenCallbacks(
  snapshot: Snapshot,
  { tenant }: Tenant,
  paymentIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const open = new Set<string>();
  const match = {
    "_id.tenant": tenant,
    paymentId: { $in: [...paymentIds] },
    state: { $ne: "DONE" },
  };
  const pipeline = [{ $match: match }, { $project: { paymentId: 1 } }];
  for await (const rows of snapshot.stream(snapshot.collection("payment", "callbacks"), pipeline)) {
    for (const row of rows) open.add(text(row["paymentId"]));
  }
  return open;
}

/** Request ids that more than one payment has, with up to ten of the payments. */
export async function* readReusedRequestIds(
  snapshot: Snapshot,
): AsyncGenerator<{ readonly requestId: string; readonly paymentIds: readonly string[] }> {
  const pipeline = [
    { $match: { ...snapshot.range, requestId: { $gt: "" } } },
    {
      $group: {
        _id: { subject: "$subject", requestId: "$requestId" },
        count: { $sum: 1 },
        payments: { $firstN: { input: "$_id.id", n: 10 } },
      },
    },
    { $match: { count: { $gt: 1 } } },
  ];
  for await (const rows of snapshot.stream(snapshot.collection("payment", "payments"), pipeline)) {
    for (const row of rows) {
      yield { requestId: text(row["_id"].requestId), paymentIds: row["payments"].map(text) };
    }
  }
}

/** Payment ids, of payments or not, that more than one message tells the end of, under whatever ids. */
export async function* readRepeatedNotices(
  snapshot: Snapshot,
): AsyncGenerator<readonly RepeatedNotice[]> {
  const pipeline = [
    { $match: { ...snapshot.range, paymentId: { $gt: "" }, template: { $in: FINAL_TEMPLATES } } },
    {
      $group: {
        _id: "$paymentId",
        count: { $sum: 1 },
        templates: { $firstN: { input: "$template", n: 10 } },
      },
    },
    { $match: { count: { $gt: 1 } } },
  ];
  const notifications = snapshot.collection("notification", "notifications");
  for await (const rows of snapshot.stream(notifications, pipeline)) {
    yield rows.map((row) => ({
      paymentId: text(row["_id"]),
      templates: row["templates"].map(text),
    }));
  }
}

const FINAL_TEMPLATES = FINAL_EVENTS.map(({ template }) => template);

function mapOf<T>(rows: readonly Document[], read: (row: Document) => T): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [idOf(row), read(row)]));
}

function pick<T>(from: ReadonlyMap<string, T>, ids: readonly string[]): ReadonlyMap<string, T> {
  return new Map(
    ids.flatMap((id) => {
      const found = from.get(id);
      return found === undefined ? [] : [[id, found] as const];
    }),
  );
}
