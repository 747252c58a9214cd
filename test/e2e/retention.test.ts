import type { Db } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestsMigrations, requestsRetention } from "#kit/idempotency/request.ts";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { DATABASES, DAY_MS } from "#test/support/databases.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

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

let client: Awaited<ReturnType<typeof connectMongo>>;
const prefix = freshPrefix();
const database = (name: string): Db => client.db(`${prefix}_${name}`);

beforeAll(async () => {
  client = await connectMongo(mongoUri());
  for (const [name, migrations, retentions] of DATABASES) {
    await migrate(database(name), migrations, retentions);
  }
});
afterAll(async () => {
  for (const name of [...DATABASES.map(([each]) => each), "changed"]) {
    await database(name).dropDatabase();
  }
  await client.close();
});

async function expiring(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name] of DATABASES) {
    for (const { name: collection } of await database(name).listCollections().toArray()) {
      const indexes = await database(name).collection(collection).indexes();
      if (indexes.some((index) => "expireAfterSeconds" in index))
        found.push(`${name}.${collection}`);
    }
  }
  return found.sort();
}

test("every collection that grows without being money has a retention, and nothing else has", async () => {
  const named = DATABASES.flatMap(([name, , retentions]) =>
    retentions.map(({ collection }) => `${name}.${collection}`),
  );
  expect(await expiring()).toEqual(named.toSorted());
  const all: string[] = [];
  for (const [name] of DATABASES) {
    const collections = await database(name).listCollections().toArray();
    all.push(...collections.map((one) => `${name}.${one["name"]}`));
  }
  const kept = all.filter((place) => !named.includes(place) && !place.endsWith(".migrations"));
  expect(kept.sort()).toEqual(FOR_EVER.toSorted());
});

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
});
