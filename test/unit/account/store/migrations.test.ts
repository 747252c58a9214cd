import { Double, type MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { openAccount } from "#services/account/domain/account.ts";
import { emptyTransfer } from "#services/account/domain/transfer.ts";
import { accountMigrations } from "#services/account/store/migrations.ts";
import { accountToRow, transferToRow } from "#services/account/store/rows.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

const NOW = new Date();
const DATABASE = `${freshPrefix()}_account`;
let client: MongoClient;
beforeAll(async () => {
  client = await connectMongo(mongoUri());
  await migrate(client.db(DATABASE), accountMigrations);
});
afterAll(async () => {
  await client.db(DATABASE).dropDatabase();
  await client.close();
});

let count = 0;
function account(changes: object) {
  count += 1;
  const identity = { tenant: "t", id: `a${count}`, ownerId: "", currencyCode: "USD" };
  const opened = openAccount({ ...identity, kind: "CUSTOMER" }, NOW);
  return { ...accountToRow(opened, ""), ...changes };
}
function transfer(changes: object) {
  count += 1;
  const posted = { kind: "DEBIT", state: "POSTED", amount: 1n, order: 1n } as const;
  return { ...transferToRow({ ...emptyTransfer("t", `t${count}`, NOW), ...posted }), ...changes };
}
const insert = (collection: string, row: object) =>
  client.db(DATABASE).collection(collection).insertOne(row);

describe("the database itself, as the last wall,", () => {
  test("takes a right account and a right transfer", async () => {
    await insert("accounts", account({}));
    await insert("accounts", account({ kind: "SYSTEM", balance: -5n }));
    await insert("transfers", transfer({}));
  });

  test.each([
    ["a customer below the floor", { balance: -1n }],
    ["held money below zero", { held: -1n }],
    ["a balance that is a double", { balance: new Double(1.5) }],
    ["a balance that is a 32-bit number", { balance: 5 }],
    ["a state nobody knows", { state: "GONE" }],
  ])("refuses %s", async (_, changes) => {
    await expect(insert("accounts", account(changes))).rejects.toMatchObject({ code: 121 });
  });

  test.each([
    ["a posting of nothing", { amount: 0n }],
    ["a posting of a negative amount", { amount: -1n }],
    ["a posting of a fraction", { amount: new Double(0.5) }],
    ["an outcome nobody knows", { state: "MAYBE" }],
  ])("refuses %s", async (_, changes) => {
    await expect(insert("transfers", transfer(changes))).rejects.toMatchObject({ code: 121 });
  });

  test("refuses a second account of an owner in a currency, in the same tenant only", async () => {
    const owned = { ownerId: "olga" };
    await insert("accounts", account(owned));
    await expect(insert("accounts", account(owned))).rejects.toMatchObject({ code: 11_000 });
    await insert("accounts", account({ ...owned, currencyCode: "EUR" }));
    await insert("accounts", account({ ...owned, _id: { tenant: "other", id: "a" } }));
  });

  test("is migrated twice without harm", async () => {
    await migrate(client.db(DATABASE), accountMigrations);
  });
});
