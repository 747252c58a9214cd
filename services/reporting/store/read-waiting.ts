import type { Document } from "mongodb";
import type { AttentionItem } from "../domain/attention.ts";
import type { TallyBook, TaskBook } from "../domain/books.ts";
import { byCodeUnits, Peekable, rowsOf } from "./peekable.ts";
import { date, idOf, taskBook, text, units } from "./rows.ts";
import type { Snapshot } from "./snapshot.ts";

/** Tasks that wait for a person. */
export async function* readOpenTasks(snapshot: Snapshot): AsyncGenerator<readonly TaskBook[]> {
  const match = { ...snapshot.range, state: "OPEN" };
  const tasks = snapshot.collection("payment", "tasks");
  for await (const rows of snapshot.stream(tasks, [{ $match: match }])) yield rows.map(taskBook);
}

/** Messages that are not delivered yet, or were given up. */
export async function* readUndelivered(
  snapshot: Snapshot,
): AsyncGenerator<readonly AttentionItem[]> {
  const match = { ...snapshot.range, status: { $in: ["QUEUED", "FAILED"] } };
  const pipeline = [{ $match: match }, { $project: { status: 1, attempts: 1, createTime: 1 } }];
  const messages = snapshot.collection("notification", "notifications");
  for await (const rows of snapshot.stream(messages, pipeline)) {
    yield rows.map((row) => waiting(row, `is ${text(row["status"])}`));
  }
}

/** Webhook deliveries that wait for their endpoint. */
export async function* readWaitingWebhooks(
  snapshot: Snapshot,
): AsyncGenerator<readonly AttentionItem[]> {
  const match = { ...snapshot.range, state: "PENDING" };
  const project = { endpointId: 1, attempts: 1, createTime: 1 };
  const deliveries = snapshot.collection("notification", "webhook_deliveries");
  for await (const rows of snapshot.stream(deliveries, [
    { $match: match },
    { $project: project },
  ])) {
    yield rows.map((row) => waiting(row, `waits for endpoint ${text(row["endpointId"])}`));
  }
}

function waiting(row: Document, how: string): AttentionItem {
  const detail = `${how} after ${units(row["attempts"])} attempts`;
  return { id: idOf(row), detail, since: date(row["createTime"]) };
}

/** Walks Fraud's tallies and the sums of its checks beside each other, both in the order of their names. */
export async function* readTallies(snapshot: Snapshot): AsyncGenerator<TallyBook> {
  const tallies = new Peekable(
    rowsOf(snapshot, "fraud", "tallies", [{ $match: snapshot.range }, { $sort: { _id: 1 } }]),
    idOf,
  );
  const checks = new Peekable(rowsOf(snapshot, "fraud", "checks", checkSums(snapshot)), (row) =>
    text(row["_id"]),
  );
  for (;;) {
    const heads = [await tallies.peek(), await checks.peek()];
    const [name] = heads.filter((head) => head !== undefined).sort(byCodeUnits);
    if (name === undefined) return;
    const [tally] = await tallies.take(name);
    const [sum] = await checks.take(name);
    yield { name, tally: units(tally?.["amount"]), checks: units(sum?.["total"]) };
  }
}

function checkSums(snapshot: Snapshot): Document[] {
  return [
    { $match: { ...snapshot.range, tallied: { $gt: 0n } } },
    {
      $group: {
        _id: { $concat: ["$accountId", ":", "$currencyCode"] },
        total: { $sum: "$tallied" },
      },
    },
    { $sort: { _id: 1 } },
  ];
}
