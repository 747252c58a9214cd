import type { Db, Document } from "mongodb";

/**
 * What is wrong with a tenant's books, read straight from the collections and with no code of the service: postings
 * sum to zero by construction, so what can break is a balance that is not the sum of its postings (A2), a customer
 * below the floor (A3), or held money that no hold explains (A9). Empty when the books are right.
 */
export async function faultsOf(db: Db, tenant: string): Promise<readonly string[]> {
  const own = { "_id.tenant": tenant };
  const accounts = await db.collection("accounts").find(own).toArray();
  const transfers = await db.collection("transfers").find(own).toArray();
  const holds = await db.collection("holds").find(own).toArray();
  const posted = transfers.filter((transfer) => transfer["state"] === "POSTED");
  return [
    ...accounts.flatMap((account) => accountFaults(account, posted, holds)),
    ...currencyFaults(accounts),
    ...posted.flatMap((transfer) => legFaults(transfer, accounts)),
  ];
}

function accountFaults(
  account: Document,
  posted: readonly Document[],
  holds: readonly Document[],
): string[] {
  const id: string = account["_id"].id;
  const received = sum(posted.filter((transfer) => transfer["destinationAccountId"] === id));
  const paid = sum(posted.filter((transfer) => transfer["sourceAccountId"] === id));
  const held = sum(holds.filter((hold) => hold["accountId"] === id && hold["state"] === "HELD"));
  const balance: bigint = account["balance"];
  const faults: string[] = [];
  if (balance !== received - paid) {
    faults.push(`${id} has ${balance}, its postings sum to ${received - paid}`);
  }
  if (account["held"] !== held) faults.push(`${id} holds ${account["held"]}, its holds ${held}`);
  if (account["kind"] === "CUSTOMER" && balance - held < 0n)
    faults.push(`${id} is below its floor`);
  return faults;
}

function currencyFaults(accounts: readonly Document[]): string[] {
  const sums = new Map<string, bigint>();
  for (const { currencyCode, balance } of accounts) {
    sums.set(currencyCode, (sums.get(currencyCode) ?? 0n) + balance);
  }
  return [...sums].filter(([, total]) => total !== 0n).map(([code, total]) => `${code}: ${total}`);
}

function legFaults(transfer: Document, accounts: readonly Document[]): string[] {
  return ["sourceAccountId", "destinationAccountId"]
    .filter((leg) => !accounts.some((account) => account["_id"].id === transfer[leg]))
    .map((leg) => `${transfer["_id"].id} posts to ${transfer[leg]}, which is no account`);
}

function sum(rows: readonly Document[]): bigint {
  return rows.reduce((total, row) => total + row["amount"], 0n);
}
