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

  test("refuses a database of a newer version and changes nothing", async () => {
    const db = client.db(DATABASE);
    await expect(migrate(db, [step("001-a"), step("004-d")])).rejects.toThrow("newer version");
    expect(ran).not.toContain("004-d");
  });
});
