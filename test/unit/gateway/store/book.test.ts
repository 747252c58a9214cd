import { type MongoClient, MongoServerError } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import type { GatewayBook } from "#services/gateway/application/book.ts";
import { decideVoid, newTransaction } from "#services/gateway/domain/transaction.ts";
import { openBook } from "#services/gateway/store/book.ts";
import { CLAIM_MS } from "#services/gateway/store/callbacks.ts";
import { gatewayMigrations } from "#services/gateway/store/migrations.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

const scope = { tenant: "default" };
const prefix = freshPrefix();
let client: MongoClient;
let book: GatewayBook;
beforeAll(async () => {
  client = await connectMongo(mongoUri());
  const db = client.db(`${prefix}_gateway`);
  await migrate(db, gatewayMigrations);
  await migrate(db, gatewayMigrations);
  book = openBook(client, db);
});
afterAll(async () => {
  await client.db(`${prefix}_gateway`).dropDatabase();
  await client.close();
});

const at = (ms: number) => new Date(Date.UTC(2030, 0) + ms);

/** A pending authorisation that is to come late, due at once. */
async function insertLate(authorizationKey: string) {
  const order = { merchantReference: "p1", amount: { currencyCode: "USD", minorUnits: 5n } };
  const transaction = newTransaction(
    { authorizationKey, gatewayReference: "g", now: at(0) },
    order,
    { state: "PENDING", upcoming: "EVEN_IF_VOIDED", dropsAnswers: false, declineReason: "" },
  );
  const sendings = [{ event: 0, forged: false, eventId: "e" }];
  const task = { authorizationKey, sendings, sentCount: 0, attempts: 0, firstDueTime: at(0) };
  expect(await book.insertTransaction(scope, transaction, task)).toBe(true);
  expect(await book.insertTransaction(scope, transaction, task)).toBe(false);
}

test("a claimed task is left alone for the claim and found again after it, so that a crash loses no callback", async () => {
  await insertLate("claimed");
  const first = await book.claimDueTask(at(0));
  expect(first).toMatchObject({ tenant: "default", authorizationKey: "claimed", sentCount: 0 });
  expect(await book.claimDueTask(at(CLAIM_MS - 1))).toBeUndefined();
  const second = await book.claimDueTask(at(CLAIM_MS));
  expect(second).toEqual(first);
  if (second === undefined) return;
  await book.markSent({ ...second, sentCount: 1 }, at(CLAIM_MS));
  const third = await book.claimDueTask(at(2 * CLAIM_MS));
  expect(third?.sentCount).toBe(1);
  await book.closeTask(second, "DONE", at(2 * CLAIM_MS));
  expect(await book.claimDueTask(at(10 * CLAIM_MS))).toBeUndefined();
});

test("a late authorisation takes effect once, so that a task run again after a crash cannot undo a later void", async () => {
  await insertLate("late");
  const authorized = await book.authorizeUpcoming(scope, "late", at(1));
  expect(authorized).toMatchObject({ state: "AUTHORIZED", authorizeTime: at(1) });
  if (authorized === undefined) return;
  const decision = decideVoid(authorized);
  const operation = { key: "v", kind: "VOID", authorizationKey: "late", amount: null } as const;
  const change = {
    operation: { ...operation, refusal: null },
    before: authorized,
    after: decision.ok ? decision.value : authorized,
    now: at(2),
  };
  expect((await book.recordOperation(scope, change))?.state).toBe("VOIDED");
  const again = await book.authorizeUpcoming(scope, "late", at(3));
  expect(again).toMatchObject({ state: "VOIDED", authorizeTime: at(1) });
});

test("a decision on a transaction that has changed meanwhile writes nothing, not even its operation", async () => {
  await insertLate("stale");
  const before = await book.findTransaction(scope, "stale");
  if (before === undefined) throw new Error("not inserted");
  await book.authorizeUpcoming(scope, "stale", at(1));
  const operation = { key: "s", kind: "VOID", authorizationKey: "stale", amount: null } as const;
  const change = { operation: { ...operation, refusal: null }, before, after: before, now: at(2) };
  expect(await book.recordOperation(scope, change)).toBeUndefined();
  expect(await book.findOperation(scope, "s")).toBeUndefined();
  expect((await book.findTransaction(scope, "stale"))?.state).toBe("AUTHORIZED");
});

test("the database itself refuses a row of another shape, so that a bug cannot write one", async () => {
  const rows = client.db(`${prefix}_gateway`).collection<{ _id: object }>("transactions");
  const wrong = rows.insertOne({ _id: { tenant: "default", id: "wrong" } });
  await expect(wrong).rejects.toBeInstanceOf(MongoServerError);
});
