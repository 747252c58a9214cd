import { MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertDurable, connectMongo } from "#kit/mongo/client.ts";
import { type Migration, migrate } from "#kit/mongo/migrate.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

const DATABASE = `${freshPrefix()}_kit`;
let client: MongoClient;
beforeAll(async () => {
  client = await connectMongo(mongoUri());
});
afterAll(async () => {
  await client.db(DATABASE).dropDatabase();
  await client.close();
});

describe("connectMongo", () => {
  test("carries int64 without losing a digit", async () => {
    const rows = client.db(DATABASE).collection<{ _id: string; amount: bigint }>("amounts");
    for (const amount of [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      await rows.insertOne({ _id: `${amount}`, amount });
      expect((await rows.findOne({ _id: `${amount}` }))?.amount).toBe(amount);
    }
  });

  test.each([
    ["w: 1, which loses acknowledged writes on kill -9", { w: 1, journal: true }],
    ["no journal", { w: "majority", journal: false }],
  ] as const)("refuses %s", async (_, writeConcern) => {
    await using weak = await MongoClient.connect(mongoUri(), { writeConcern });
    await expect(assertDurable(weak)).rejects.toThrow("majority");
  });
});

describe("migrate", () => {
  const ran: string[] = [];
  const step = (id: string): Migration => ({
    id,
    async up() {
      ran.push(id);
    },
  });

  test("runs each step once, in order, and later ones later", async () => {
    const db = client.db(DATABASE);
    await migrate(db, [step("001-a"), step("002-b")]);
    await migrate(db, [step("001-a"), step("002-b"), step("003-c")]);
    expect(ran).toEqual(["001-a", "002-b", "003-c"]);
  });

  test("an older instance starts beside a newer one, and leaves alone what it does not know", async () => {
    const db = client.db(DATABASE);
    await migrate(db, [step("001-a"), step("002-b")]);
    expect(ran).toEqual(["001-a", "002-b", "003-c"]);
    await migrate(db, [step("001-a"), step("002-b"), step("003-c"), step("004-d")]);
    expect(ran).toEqual(["001-a", "002-b", "003-c", "004-d"]);
  });

  test("an older instance refuses to start where a newer step says that it would do harm, and changes nothing", async () => {
    const db = client.db(DATABASE);
    await migrate(db, [step("001-a"), { ...step("005-e"), shutsOutOlder: true }]);
    const older = migrate(db, [step("001-a"), step("006-f")]);
    await expect(older).rejects.toThrow(/newer version of Settle .*\(005-e\)/);
    expect(ran).not.toContain("006-f");
  });
});
