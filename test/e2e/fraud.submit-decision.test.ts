import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudDecision, FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readFraudConfig } from "#services/fraud/config.ts";
import { startFraudService } from "#services/fraud/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

let alone: Alone;
let count = 0;

beforeAll(async () => {
  alone = await startAlone(readFraudConfig, startFraudService, {
    SETTLE_FRAUD_REVIEW_LIMITS: "USD:500",
    SETTLE_FRAUD_CUMULATIVE_LIMITS: "USD:2000",
  });
});
afterAll(() => alone[Symbol.asyncDispose]());

const fraud = () => createPeer(FraudService, alone.url);

/** A check that waits for a person. */
async function reviewed(minorUnits = 600n) {
  count += 1;
  const paymentId = `payment-${count}`;
  const checkId = `${paymentId}:fraud-check`;
  const accountId = `account-${count}`;
  const amount = { currencyCode: "USD", minorUnits };
  await fraud().evaluate({ checkId, paymentId, accountId, amount });
  return { checkId, paymentId, accountId, amount };
}

async function tallyOf(accountId: string): Promise<bigint> {
  const db = await alone.platform.database("fraud");
  const row = await db.collection("tallies").findOne({ accountId });
  return BigInt(row?.["amount"] ?? 0n);
}

const byCheck = (value: string) => ({ case: "checkId", value }) as const;
const byPayment = (value: string) => ({ case: "paymentId", value }) as const;
const refusedWith = (reason: string) => (error: unknown) => reasonOf(error) === reason;

describe("a decision", () => {
  test("passes the check, names who decided, and moves the tally", async () => {
    const { checkId, accountId } = await reviewed();
    expect(await tallyOf(accountId)).toBe(0n);
    const { check } = await fraud().submitDecision({
      subject: byCheck(checkId),
      decision: FraudDecision.PASS,
      actor: "rita",
      note: "known customer",
    });
    expect(check).toMatchObject({
      decision: FraudDecision.PASS,
      decidedBy: "rita",
      note: "known customer",
      rules: ["REVIEW_LIMIT"],
    });
    expect(check?.decideTime).toBeDefined();
    expect(await tallyOf(accountId)).toBe(600n);
    expect((await fraud().getCheck({ checkId })).check).toEqual(check);
  });

  test("by the payment's id fails the check and leaves the tally alone", async () => {
    const { paymentId, accountId } = await reviewed();
    const { check } = await fraud().submitDecision({
      subject: byPayment(paymentId),
      decision: FraudDecision.FAIL,
    });
    expect(check).toMatchObject({ decision: FraudDecision.FAIL, decidedBy: "dev" });
    expect(await tallyOf(accountId)).toBe(0n);
  });

  test("is the answer of every later Evaluate, so that a restarted saga follows it", async () => {
    const same = await reviewed();
    await fraud().submitDecision({ subject: byCheck(same.checkId), decision: FraudDecision.FAIL });
    expect((await fraud().evaluate(same)).check?.decision).toBe(FraudDecision.FAIL);
  });
});

describe("the first decision is kept", () => {
  test("when 16 reviewers decide at once: one wins, the others are told", async () => {
    const { checkId, accountId } = await reviewed();
    const votes = Array.from({ length: 16 }, (_, i) =>
      fraud().submitDecision({
        subject: byCheck(checkId),
        decision: i % 2 ? FraudDecision.PASS : FraudDecision.FAIL,
        actor: `reviewer-${i}`,
      }),
    );
    const settled = await Promise.allSettled(votes);
    const winners = settled.filter((vote) => vote.status === "fulfilled");
    expect(winners).toHaveLength(1);
    for (const vote of settled) {
      if (vote.status === "rejected") expect(reasonOf(vote.reason)).toBe("CHECK_ALREADY_DECIDED");
    }
    const { check } = await fraud().getCheck({ checkId });
    expect(winners[0]?.value.check).toEqual(check);
    expect(await tallyOf(accountId)).toBe(check?.decision === FraudDecision.PASS ? 600n : 0n);
  });

  test("and answered again to a repeat with the same request_id", async () => {
    const { checkId } = await reviewed();
    const request = {
      requestId: `request-${checkId}`,
      subject: byCheck(checkId),
      decision: FraudDecision.PASS,
    };
    const first = await fraud().submitDecision(request);
    expect(await fraud().submitDecision(request)).toEqual(first);
    const changed = fraud().submitDecision({ ...request, decision: FraudDecision.FAIL });
    await expect(changed).rejects.toSatisfy(refusedWith("REQUEST_ID_REUSED"));
  });

  test("also when the rules decided", async () => {
    const { checkId } = await reviewed(100n);
    const late = fraud().submitDecision({
      subject: byCheck(checkId),
      decision: FraudDecision.FAIL,
    });
    await expect(late).rejects.toSatisfy(refusedWith("CHECK_ALREADY_DECIDED"));
  });
});

test.each([
  ["check", byCheck("nowhere")],
  ["payment", byPayment("nowhere")],
])("an unknown %s is CHECK_NOT_FOUND", async (_, subject) => {
  const missing = fraud().submitDecision({ subject, decision: FraudDecision.PASS });
  await expect(missing).rejects.toSatisfy(refusedWith("CHECK_NOT_FOUND"));
});

test("REVIEW is no decision a person can make", async () => {
  const { checkId } = await reviewed();
  const review = fraud().submitDecision({
    subject: byCheck(checkId),
    decision: FraudDecision.REVIEW,
  });
  await expect(review).rejects.toMatchObject({ code: 3 });
});

test("pages of waiting checks lead through each of them once, newest first", async () => {
  const { checkId: last } = await reviewed();
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await fraud().listChecks({
      pageSize: 2,
      pageToken,
      decision: FraudDecision.REVIEW,
    });
    for (const check of page.checks) expect(check.decision).toBe(FraudDecision.REVIEW);
    seen.push(...page.checks.map((check) => check.checkId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen[0]).toBe(last);
  expect(new Set(seen).size).toBe(seen.length);
  const foreign = fraud().listChecks({ pageToken: "bm9uc2Vuc2U" });
  await expect(foreign).rejects.toSatisfy(refusedWith("INVALID_PAGE_TOKEN"));
});
