import { type ClientSession, type Db, type MongoClient, MongoServerError } from "mongodb";
import type { ListQuery } from "#kit/list/spec.ts";
import { key } from "#kit/mongo/key.ts";
import { type ListColumns, listFilter, listSort } from "#kit/mongo/list.ts";
import type { Check } from "../domain/check.ts";
import type { Settings } from "../domain/settings.ts";
import { type TallyRef, tallyName } from "../domain/tally.ts";
import type { Changes, FraudStore, StoredSettings, Tenant, Transaction } from "./port.ts";
import {
  type CheckRow,
  type Collections,
  checkRow,
  collections,
  SETTINGS_ID,
  settingsRow,
  toCheck,
  toSettings,
} from "./rows.ts";
import { inTransaction } from "./transaction.ts";

/** Opens Fraud's database; `defaults` are the rules of a tenant that never replaced them. */
export function createFraudStore(client: MongoClient, db: Db, defaults: Settings): FraudStore {
  const rows = collections(db);
  return {
    transact: (tenant, run) =>
      inTransaction(client, (session) => run(transaction(rows, defaults, tenant, session))),
    findCheck: async (tenant, id) => {
      const row = await rows.checks.findOne({ _id: key(tenant, id) });
      return row === null ? undefined : toCheck(row);
    },
    findCheckOfPayment: (tenant, paymentId) => findCheckOfPayment(rows, tenant, paymentId),
    listChecks: (tenant, query) => listChecks(rows, tenant, query),
    readSettings: (tenant) => readSettings(rows, defaults, tenant),
    async replaceSettings(tenant, settings, { expectedVersion, callId }) {
      const row = settingsRow(tenant, settings, expectedVersion + 1n, callId);
      try {
        // The guard on the version defends a rival's replacement; version 0 has no row, and of two inserts one wins.
        const { matchedCount, upsertedCount } = await rows.settings.replaceOne(
          { _id: row._id, version: expectedVersion },
          row,
          { upsert: expectedVersion === 0n },
        );
        return matchedCount + upsertedCount === 1;
      } catch (error) {
        if (error instanceof MongoServerError && error.code === 11_000) return false;
        throw error;
      }
    },
  };
}

function transaction(
  rows: Collections,
  defaults: Settings,
  tenant: Tenant,
  session: ClientSession,
): Transaction {
  return {
    async checks(ids) {
      const filter = { _id: { $in: [...new Set(ids)].map((id) => key(tenant, id)) } };
      const found = await rows.checks.find(filter, { session }).toArray();
      return new Map(found.map((row) => [row._id.id, toCheck(row)]));
    },
    async tallies(refs) {
      if (refs.length === 0) return new Map();
      const names = [...new Set(refs.map(tallyName))];
      const filter = { _id: { $in: names.map((name) => key(tenant, name)) } };
      const found = await rows.tallies.find(filter, { session }).toArray();
      return new Map(found.map((row) => [row._id.id, row.amount]));
    },
    settings: () => readSettings(rows, defaults, tenant, session),
    write: (changes) => write(rows, tenant, changes, session),
  };
}

/** Writes in one session; a row that a rival touched after our snapshot aborts the whole transaction. */
async function write(
  rows: Collections,
  tenant: Tenant,
  changes: Changes,
  session: ClientSession,
): Promise<void> {
  if (changes.inserted.length > 0) {
    const inserted = changes.inserted.map((check) => checkRow(tenant, check));
    await rows.checks.insertMany(inserted, { session });
  }
  for (const check of changes.updated) {
    const row = checkRow(tenant, check);
    await rows.checks.replaceOne({ _id: row._id }, row, { session });
  }
  const moves = sumByTally(changes.tallyMoves);
  if (moves.length === 0) return;
  await rows.tallies.bulkWrite(
    moves.map(({ ref, delta }) => ({
      updateOne: {
        filter: { _id: key(tenant, tallyName(ref)) },
        update: { $inc: { amount: delta }, $setOnInsert: { ...ref } },
        upsert: true,
      },
    })),
    { session },
  );
}

function sumByTally(moves: Changes["tallyMoves"]): { ref: TallyRef; delta: bigint }[] {
  const sums = new Map<string, { ref: TallyRef; delta: bigint }>();
  for (const { ref, delta } of moves) {
    const before = sums.get(tallyName(ref))?.delta ?? 0n;
    sums.set(tallyName(ref), { ref, delta: before + delta });
  }
  return [...sums.values()];
}

async function readSettings(
  rows: Collections,
  defaults: Settings,
  tenant: Tenant,
  session?: ClientSession,
): Promise<StoredSettings> {
  const options = session === undefined ? {} : { session };
  const row = await rows.settings.findOne({ _id: key(tenant, SETTINGS_ID) }, options);
  if (row === null) return { settings: defaults, version: 0n, callId: "" };
  return { settings: toSettings(row), version: row.version, callId: row.callId };
}

async function findCheckOfPayment(
  rows: Collections,
  tenant: Tenant,
  paymentId: string,
): Promise<Check | undefined> {
  const filter = { "_id.tenant": tenant.tenant, paymentId };
  const row = await rows.checks.findOne(filter, { sort: { createTime: -1 } });
  return row === null ? undefined : toCheck(row);
}

const CHECK_COLUMNS: ListColumns = {
  fields: {
    check_id: "_id.id",
    payment_id: "paymentId",
    account_id: "accountId",
    decision: "decision",
    released: "released",
    "amount.currency_code": "currencyCode",
    "amount.minor_units": "amount",
    create_time: "createTime",
  },
  sorts: { create_time: ["createTime", "_id.id"] },
};

async function listChecks(
  rows: Collections,
  tenant: Tenant,
  query: ListQuery,
): Promise<readonly Check[]> {
  const found = rows.checks
    .find(listFilter<CheckRow>(tenant, query, CHECK_COLUMNS))
    .sort(listSort(query, CHECK_COLUMNS))
    .limit(query.limit);
  return (await found.toArray()).map(toCheck);
}
