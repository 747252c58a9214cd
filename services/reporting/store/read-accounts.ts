import type { Document } from "mongodb";
import type { AccountCase } from "../domain/judge-accounts.ts";
import { byCodeUnits, Peekable, rowsOf } from "./peekable.ts";
import { idOf, text, units } from "./rows.ts";
import type { Snapshot } from "./snapshot.ts";

/** Both legs of every posted transfer, the paying one negative. */
function legs(snapshot: Snapshot): Document[] {
  return [
    { $match: { ...snapshot.range, state: "POSTED" } },
    {
      $project: {
        currencyCode: 1,
        legs: [
          { account: "$sourceAccountId", amount: { $multiply: ["$amount", -1n] } },
          { account: "$destinationAccountId", amount: "$amount" },
        ],
      },
    },
    { $unwind: "$legs" },
  ];
}

/** Sum of all balances per currency. */
export async function* readBalances(
  snapshot: Snapshot,
): AsyncGenerator<{ readonly currencyCode: string; readonly total: bigint }> {
  const pipeline = [
    { $match: snapshot.range },
    { $group: { _id: "$currencyCode", total: { $sum: "$balance" } } },
    { $sort: { _id: 1 } },
  ];
  for await (const row of rowsOf(snapshot, "account", "accounts", pipeline)) {
    yield { currencyCode: text(row["_id"]), total: units(row["total"]) };
  }
}

/** How many legs are posted. */
export async function countPostedLegs(snapshot: Snapshot): Promise<bigint> {
  const pipeline = [{ $match: { ...snapshot.range, state: "POSTED" } }, { $count: "transfers" }];
  for await (const row of rowsOf(snapshot, "account", "transfers", pipeline))
    return units(row["transfers"]) * 2n;
  return 0n;
}

/**
 * Walks three streams beside each other, each in the order of account ids: the accounts, the sums of their
 * postings, the sums of their holds. The sums are made by the server; here is never more than one batch of each.
 */
export async function* readAccounts(snapshot: Snapshot): AsyncGenerator<AccountCase> {
  const accounts = new Peekable(
    rowsOf(snapshot, "account", "accounts", [{ $match: snapshot.range }, { $sort: { _id: 1 } }]),
    idOf,
  );
  const postings = new Peekable(
    rowsOf(snapshot, "account", "transfers", postingSums(snapshot)),
    accountOf,
  );
  const holds = new Peekable(rowsOf(snapshot, "account", "holds", holdSums(snapshot)), accountOf);
  for (;;) {
    const heads = [await accounts.peek(), await postings.peek(), await holds.peek()];
    const accountId = heads.filter((head) => head !== undefined).sort(byCodeUnits)[0];
    if (accountId === undefined) return;
    const [account] = await accounts.take(accountId);
    const posted = await postings.take(accountId);
    const held = await holds.take(accountId);
    yield {
      accountId,
      account: account && {
        currencyCode: text(account["currencyCode"]),
        balance: units(account["balance"]),
        held: units(account["held"]),
        kind: text(account["kind"]),
      },
      postings: posted.map((row) => ({
        currencyCode: text(row["_id"].currency),
        total: units(row["total"]),
      })),
      held: held.reduce((sum, row) => sum + units(row["total"]), 0n),
    };
  }
}

function postingSums(snapshot: Snapshot): Document[] {
  const by = { account: "$legs.account", currency: "$currencyCode" };
  return [
    ...legs(snapshot),
    { $group: { _id: by, total: { $sum: "$legs.amount" } } },
    { $sort: { "_id.account": 1, "_id.currency": 1 } },
  ];
}

function holdSums(snapshot: Snapshot): Document[] {
  return [
    { $match: { ...snapshot.range, state: "HELD" } },
    { $group: { _id: { account: "$accountId" }, total: { $sum: "$amount" } } },
    { $sort: { "_id.account": 1 } },
  ];
}

function accountOf(row: Document): string {
  return text(row["_id"]?.account);
}
