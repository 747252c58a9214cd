import type { Db } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { type FragileMongod, startFragileMongod } from "#test/ledger/fragile-mongod.ts";
import { DATABASES, DAY_MS } from "#test/support/databases.ts";
import { waitUntil } from "#test/support/wait-until.ts";

let mongod: FragileMongod;
let client: Awaited<ReturnType<typeof connectMongo>>;
const database = (name: string): Db => client.db(name);

beforeAll(async () => {
  mongod = await startFragileMongod();
  client = await connectMongo(mongod.uri);
  for (const [name, migrations, retentions] of DATABASES) {
    await migrate(database(name), migrations, retentions);
  }
});
afterAll(async () => {
  await client.close();
  await mongod[Symbol.asyncDispose]();
});

describe.each(
  DATABASES.flatMap(([name, , retentions]) => retentions.map((each) => [name, each] as const)),
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
