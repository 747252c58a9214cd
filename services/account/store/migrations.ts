import type { Db } from "mongodb";
import { ensureCollection, type Migration } from "#kit/mongo/migrate.ts";
import { closedKey, date, dateOrNull, int64, notNegative, text } from "#kit/mongo/schema.ts";

const accountSchema = {
  bsonType: "object",
  required: ["_id", "kind", "ownerId", "currencyCode", "balance", "held", "state", "version"],
  properties: {
    _id: closedKey,
    kind: { enum: ["CUSTOMER", "SYSTEM"] },
    ownerId: text,
    currencyCode: { bsonType: "string", pattern: "^[A-Z]{3}$" },
    balance: int64,
    held: notNegative,
    state: { enum: ["ACTIVE", "FROZEN"] },
    version: notNegative,
    lastOrder: notNegative,
    createTime: date,
    updateTime: date,
  },
  // Floors: the last wall, should the decision ever be wrong.
  anyOf: [
    { properties: { kind: { enum: ["SYSTEM"] } } },
    { properties: { kind: { enum: ["CUSTOMER"] }, balance: notNegative } },
  ],
} as const;

const amountWhere = (states: readonly string[], minimum: number): object => ({
  properties: { state: { enum: states }, amount: { bsonType: "long", minimum } },
});

const transferSchema = {
  bsonType: "object",
  required: ["_id", "kind", "content", "currencyCode", "amount", "state", "reason", "createTime"],
  properties: {
    _id: closedKey,
    kind: { enum: ["DEBIT", "CREDIT", "CAPTURE", "REVERSAL", "OPENING", "TOMBSTONE"] },
    content: text,
    sourceAccountId: text,
    destinationAccountId: text,
    currencyCode: text,
    reference: text,
    reason: text,
    reverses: text,
    holdId: text,
    sourceBalanceAfter: { bsonType: ["long", "null"] },
    destinationBalanceAfter: { bsonType: ["long", "null"] },
    order: { bsonType: ["long", "null"] },
    createTime: date,
  },
  anyOf: [amountWhere(["POSTED"], 1), amountWhere(["DECLINED", "TOMBSTONED"], 0)],
} as const;

const holdSchema = {
  bsonType: "object",
  required: ["_id", "accountId", "currencyCode", "amount", "capturedAmount", "state", "createTime"],
  properties: {
    _id: closedKey,
    content: text,
    accountId: text,
    destinationAccountId: text,
    currencyCode: text,
    capturedAmount: notNegative,
    reason: text,
    transactionId: text,
    reference: text,
    createTime: date,
    resolveTime: dateOrNull,
  },
  anyOf: [
    amountWhere(["HELD", "CAPTURED", "RELEASED"], 1),
    amountWhere(["DECLINED", "TOMBSTONED"], 0),
  ],
} as const;

/** The ledger's history, in order. */
export const accountMigrations: readonly Migration[] = [
  {
    id: "001-ledger-collections",
    async up(db: Db) {
      await ensureCollection(db, "accounts", accountSchema);
      await ensureCollection(db, "transfers", transferSchema);
      await ensureCollection(db, "holds", holdSchema);
    },
  },
  {
    id: "002-ledger-indexes",
    async up(db: Db) {
      // One account per owner and currency; nobody's accounts are not counted.
      await db.collection("accounts").createIndex(
        { "_id.tenant": 1, ownerId: 1, currencyCode: 1 },
        {
          name: "owner",
          unique: true,
          partialFilterExpression: { ownerId: { $gt: "" } },
        },
      );
      await db.collection("accounts").createIndex({ "_id.tenant": 1, "_id.id": 1 });
      const posted = { partialFilterExpression: { state: "POSTED" } };
      for (const side of ["sourceAccountId", "destinationAccountId"]) {
        await db
          .collection("transfers")
          .createIndex({ "_id.tenant": 1, [side]: 1, order: -1, "_id.id": -1 }, posted);
      }
      await db
        .collection("holds")
        .createIndex(
          { "_id.tenant": 1, accountId: 1, createTime: 1 },
          { partialFilterExpression: { state: "HELD" } },
        );
    },
  },
  {
    id: "003-accounts-by-creation",
    async up(db: Db) {
      const newest = { "_id.tenant": 1, createTime: -1, "_id.id": -1 } as const;
      await db.collection("accounts").createIndex(newest, { name: "newest" });
    },
  },
];
