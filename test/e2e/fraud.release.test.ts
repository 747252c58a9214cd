import { afterAll, beforeAll, expect, test } from "vitest";
import { FraudDecision, FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readFraudConfig } from "#services/fraud/config.ts";
import { startFraudService } from "#services/fraud/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

let alone: Alone;

beforeAll(async () => {
  alone = await startAlone(readFraudConfig, startFraudService, {
    SETTLE_FRAUD_REVIEW_LIMITS: "USD:500",
  });
});
afterAll(() => alone[Symbol.asyncDispose]());

const fraud = () => createPeer(FraudService, alone.url);

function request(paymentId: string, minorUnits = 100n, accountId = paymentId) {
  const amount = { currencyCode: "USD", minorUnits };
  return { checkId: `${paymentId}:fraud-check`, paymentId, accountId, amount };
}

async function tallyOf(accountId: string): Promise<bigint> {
  const db = await alone.platform.database("fraud");
  const row = await db.collection("tallies").findOne({ accountId });
  return BigInt(row?.["amount"] ?? 0n);
}

test("leaves a tombstone for a check it never saw, so that the late check fails and counts nothing", async () => {
  const late = request("p1");
  const released = await fraud().release({ checkId: late.checkId });
  expect(released.check).toMatchObject({ checkId: late.checkId, paymentId: "", released: true });
  const { check } = await fraud().evaluate(late);
  expect(check).toMatchObject({
    paymentId: "p1",
    decision: FraudDecision.FAIL,
    rules: ["RELEASED"],
    released: true,
  });
  expect(await tallyOf("p1")).toBe(0n);
  const borrowed = fraud().evaluate({ ...late, accountId: "another" });
  await expect(borrowed).rejects.toSatisfy((e) => reasonOf(e) === "CHECK_ID_REUSED");
});

test("ends the same whichever of release and evaluate wins their race: nothing stays in the tally", async () => {
  const races = Array.from({ length: 20 }, (_, i) => request(`race-${i}`, 7n, "racer"));
  await Promise.all(
    races.flatMap((one) => [fraud().evaluate(one), fraud().release({ checkId: one.checkId })]),
  );
  for (const one of races) {
    const { check } = await fraud().getCheck({ checkId: one.checkId });
    expect(check?.released).toBe(true);
  }
  expect(await tallyOf("racer")).toBe(0n);
});

test("keeps the verdict of a released check, so that a repeat gets the first answer", async () => {
  const first = request("p2");
  await fraud().evaluate(first);
  await fraud().release({ checkId: first.checkId });
  const { check } = await fraud().evaluate(first);
  expect(check).toMatchObject({ decision: FraudDecision.PASS, released: true });
  expect(await tallyOf("p2")).toBe(0n);
});

test("fails a check that waits for a person, so that nobody decides about a payment that is over", async () => {
  const waiting = request("p3", 501n);
  await fraud().evaluate(waiting);
  const { check } = await fraud().release({ checkId: waiting.checkId });
  expect(check).toMatchObject({
    decision: FraudDecision.FAIL,
    rules: ["REVIEW_LIMIT", "RELEASED"],
  });
  const decided = fraud().submitDecision({
    subject: { case: "checkId", value: waiting.checkId },
    decision: FraudDecision.PASS,
  });
  await expect(decided).rejects.toSatisfy((e) => reasonOf(e) === "CHECK_ALREADY_DECIDED");
  expect(await tallyOf("p3")).toBe(0n);
});
