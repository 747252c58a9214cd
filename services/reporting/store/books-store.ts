import type { Document, MongoClient } from "mongodb";
import type { Books } from "../application/books.ts";
import { PROVIDER_PREFIX } from "../domain/books.ts";
import { PAYMENT_FIELDS } from "./fields.ts";
import { countPostedLegs, readAccounts, readBalances } from "./read-accounts.ts";
import {
  countPayments,
  readPayments,
  readRepeatedNotices,
  readReusedRequestIds,
} from "./read-payments.ts";
import {
  readOpenTasks,
  readTallies,
  readUndelivered,
  readWaitingWebhooks,
} from "./read-waiting.ts";
import { holdBook, idOf, paymentBook, transferBook, units } from "./rows.ts";
import { idsOf, openSnapshot, type Snapshot, type Tenant } from "./snapshot.ts";

/**
 * Opens the books of all services, read-only, at one moment: the one declared exception to "only the owner sees a
 * service's database". `database` names a service's database.
 */
export async function openBooks(
  client: MongoClient,
  database: (service: string) => string,
  scope: Tenant,
): Promise<Books> {
  const tenant = { tenant: scope.tenant };
  const snapshot = await openSnapshot(client, database, tenant);
  const payments = snapshot.collection("payment", "payments");
  return {
    snapshotTime: snapshot.time,
    balances: () => readBalances(snapshot),
    accounts: () => readAccounts(snapshot),
    countPostedLegs: () => countPostedLegs(snapshot),
    countPayments: () => countPayments(snapshot),
    payments: () => readPayments(snapshot, tenant),
    reusedRequestIds: () => readReusedRequestIds(snapshot),
    repeatedNotices: () => readRepeatedNotices(snapshot),
    async paymentsById(ids) {
      const rows = await snapshot.byIds(payments, ids, PAYMENT_FIELDS);
      return new Map(rows.map((row) => [idOf(row), paymentBook(row)]));
    },
    async refundIds(ids) {
      const rows = await snapshot.byIds(snapshot.collection("payment", "refunds"), ids);
      return new Set(rows.map(idOf));
    },
    openTasks: () => readOpenTasks(snapshot),
    async pendingRefundIds(ids) {
      const rows = await snapshot.byIds(snapshot.collection("payment", "refunds"), ids);
      return new Set(rows.filter((row) => row["status"] === "PENDING").map(idOf));
    },
    undelivered: () => readUndelivered(snapshot),
    waitingWebhooks: () => readWaitingWebhooks(snapshot),
    tallies: () => readTallies(snapshot),
    heldHolds: () => readHolds(snapshot),
    providerTransfers: () => readProviderTransfers(snapshot),
    async versionsNow(ids) {
      // Without the session, and with the client's own read concern: the present.
      const now = client.db(database("payment")).collection<Document>("payments");
      const rows = await now.find(idsOf(tenant, ids), { projection: { version: 1 } }).toArray();
      return new Map(rows.map((row) => [idOf(row), units(row["version"])]));
    },
    [Symbol.asyncDispose]: () => snapshot[Symbol.asyncDispose](),
  };
}

async function* readHolds(snapshot: Snapshot) {
  const match = { ...snapshot.range, state: "HELD" };
  for await (const rows of snapshot.stream(snapshot.collection("account", "holds"), [
    { $match: match },
  ])) {
    yield rows.map(holdBook);
  }
}

async function* readProviderTransfers(snapshot: Snapshot) {
  const provider = { $gte: PROVIDER_PREFIX, $lt: `${PROVIDER_PREFIX}\u{10ffff}` };
  const match = {
    ...snapshot.range,
    state: "POSTED",
    $or: [{ sourceAccountId: provider }, { destinationAccountId: provider }],
  };
  for await (const rows of snapshot.stream(snapshot.collection("account", "transfers"), [
    { $match: match },
  ])) {
    yield rows.map(transferBook);
  }
}
