import type { Db } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyMigrations } from "#kit/auth/key-store.ts";
import { requestsMigrations, requestsRetention } from "#kit/idempotency/request.ts";
import { connectMongo } from "#kit/mongo/client.ts";
import { type Migration, migrate } from "#kit/mongo/migrate.ts";
import type { Retention } from "#kit/mongo/retention.ts";
import { accountMigrations } from "#services/account/store/migrations.ts";
import { fraudMigrations } from "#services/fraud/store/migrations.ts";
import { gatewayMigrations } from "#services/gateway/store/migrations.ts";
import { gatewayRetention } from "#services/gateway/store/retention.ts";
import { notificationMigrations } from "#services/notification/store/migrations.ts";
import { notificationRetention } from "#services/notification/store/retention.ts";
import { paymentMigrations } from "#services/payment/store/migrations.ts";
import { paymentRetention } from "#services/payment/store/retention.ts";
import { type FragileMongod, startFragileMongod } from "#test/ledger/fragile-mongod.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const DAY_MS = 86_400_000;
const requests = requestsRetention(DAY_MS);
const KEPT = {
  requestsKeptMs: DAY_MS,
  callbacksKeptMs: DAY_MS,
  tasksKeptMs: DAY_MS,
  messagesKeptMs: DAY_MS,
  inboxKeptMs: DAY_MS,
};
const SERVICES: readonly (readonly [string, readonly Migration[], readonly Retention[]])[] = [
  ["account", [...accountMigrations, ...requestsMigrations], [requests]],
  ["edge", keyMigrations, [requests]],
  ["fraud", fraudMigrations, [requests]],
  ["gateway", gatewayMigrations, gatewayRetention(DAY_MS)],
  ["notification", notificationMigrations, notificationRetention(KEPT)],
  ["payment", paymentMigrations, paymentRetention(KEPT)],
];
/** What must never go: money, the keys of each write, and what says who may call. */
const FOR_EVER = [
  ...[
    "account.accounts",
    "account.transfers",
    "account.holds",
    "payment.payments",
    "payment.refunds",
  ],
  ...[
    "fraud.checks",
    "fraud.tallies",
    "fraud.settings",
    "gateway.transactions",
    "gateway.operations",
  ],
  ...["edge.keys", "notification.webhook_endpoints"],
];

let mongod: FragileMongod;
let client: Awaited<ReturnType<typeof connectMongo>>;
const database = (name: string): Db => client.db(name);

beforeAll(async () => {
  mongod = await startFragileMongod();
  client = await connectMongo(mongod.uri);
  for (const [name, migrations, retentions] of SERVICES) {
    await migrate(database(name), migrations, retentions);
  }
});
afterAll(async () => {
  await client.close();
  await mongod[Symbol.asyncDispose]();
});

async function expiring(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name] of SERVICES) {
    for (const { name: collection } of await database(name).listCollections().toArray()) {
      const indexes = await database(name).collection(collection).indexes();
      if (indexes.some((index) => "expireAfterSeconds" in index))
        found.push(`${name}.${collection}`);
    }
  }
  return found.sort();
}

test("every collection that grows without being money has a retention, and nothing else has", async () => {
  const named = SERVICES.flatMap(([name, , retentions]) =>
    retentions.map(({ collection }) => `${name}.${collection}`),
  );
  expect(await expiring()).toEqual(named.toSorted());
  const all: string[] = [];
  for (const [name] of SERVICES) {
    const collections = await database(name).listCollections().toArray();
    all.push(...collections.map((one) => `${name}.${one["name"]}`));
  }
  const kept = all.filter((place) => !named.includes(place) && !place.endsWith(".migrations"));
  expect(kept.sort()).toEqual(FOR_EVER.toSorted());
});

describe.each(
  SERVICES.flatMap(([name, , retentions]) => retentions.map((each) => [name, each] as const)),
)("%s keeps $collection", (name, { collection, field, where = {} }) => {
  test("as long as it is told: what is older goes, what is younger or not done stays", async () => {
    const rows = database(name).collection<{ _id: string; eventId: string }>(collection);
    const done = Object.fromEntries(
      Object.entries(where).map(([key, value]) => [key, firstOf(value)]),
    );
    const old = new Date(Date.now() - 2 * DAY_MS);
    const mayStay =
      Object.keys(where).length > 0 ? [{ _id: "not done", state: "OPEN", [field]: old }] : [];
    const documents = [
      { _id: "old", ...done, [field]: old },
      { _id: "young", ...done, [field]: new Date() },
      { _id: "undated", ...done },
      ...mayStay,
    ];
    await rows.insertMany(
      // Some collections are unique by this.
      documents.map((document) => ({ ...document, eventId: document._id })),
      { bypassDocumentValidation: true },
    );
    await waitUntil(async () => (await rows.findOne({ _id: "old" })) === null, { everyMs: 50 });
    const left = (await rows.find().toArray()).map(({ _id }) => _id).sort();
    expect(left).toEqual([...mayStay.map(({ _id }) => _id), "undated", "young"]);
  });
});

function firstOf(value: unknown): unknown {
  const choices: unknown =
    typeof value === "object" && value !== null && "$in" in value ? value.$in : undefined;
  return Array.isArray(choices) ? choices[0] : value;
}

test("a setting that changed is followed at the next start, and never is never", async () => {
  const db = database("changed");
  const seconds = async (): Promise<unknown> =>
    (await db.collection("requests").indexes()).find(({ name }) => name === "retention")?.[
      "expireAfterSeconds"
    ];
  for (const [keptMs, expected] of [
    [DAY_MS, 86_400],
    [7 * DAY_MS, 604_800],
    [Number.POSITIVE_INFINITY, undefined],
    [100_000 * DAY_MS, 2_147_483_647],
  ] as const) {
    await migrate(db, requestsMigrations, [requestsRetention(keptMs)]);
    expect(await seconds()).toEqual(expected === undefined ? undefined : expected);
  }
  await db.dropDatabase();
});
