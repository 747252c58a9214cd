import { durationFromMs, timestampMs, timestampNow } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudDecision, FraudService, type Settings } from "#gen/fraud/v1/fraud_pb.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readFraudConfig } from "#services/fraud/config.ts";
import { startFraudService } from "#services/fraud/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

const USD = "USD";
let alone: Alone;
let count = 0;

beforeAll(async () => {
  alone = await startAlone(readFraudConfig, startFraudService, {
    SETTLE_FRAUD_AMOUNT_LIMITS: "USD:1000",
    SETTLE_FRAUD_REVIEW_LIMITS: "USD:500",
    SETTLE_FRAUD_CUMULATIVE_LIMITS: "EUR:1000",
    SETTLE_FRAUD_DENIED_ACCOUNTS: "mallory",
  });
});
afterAll(() => alone[Symbol.asyncDispose]());

const fraud = () => createPeer(FraudService, alone.url);

function request(accountId: string, minorUnits: bigint, currencyCode = USD) {
  count += 1;
  const paymentId = `payment-${count}`;
  const checkId = `${paymentId}:fraud-check`;
  return { checkId, paymentId, accountId, amount: { currencyCode, minorUnits } };
}

/** Runs under other rules and puts the old ones back. */
async function underRules(change: Partial<Settings>, run: () => Promise<void>): Promise<void> {
  const { settings } = await fraud().getSettings({});
  if (settings === undefined) throw new Error("no settings");
  await fraud().updateSettings({ settings: { ...settings, ...change } });
  await run();
  await fraud().updateSettings({ settings: { ...settings, etag: "" } });
}

async function tallyOf(accountId: string, currencyCode = USD): Promise<bigint> {
  const db = await alone.platform.database("fraud");
  const row = await db.collection("tallies").findOne({ accountId, currencyCode });
  return BigInt(row?.["amount"] ?? 0n);
}

describe("rules", () => {
  test.each([
    ["passes up to the review limit", "alice", 500n, FraudDecision.PASS, []],
    ["asks a person above it", "alice", 501n, FraudDecision.REVIEW, ["REVIEW_LIMIT"]],
    ["fails above the limit", "alice", 1001n, FraudDecision.FAIL, ["AMOUNT_LIMIT", "REVIEW_LIMIT"]],
    ["fails a denied account", "mallory", 1n, FraudDecision.FAIL, ["DENY_LIST"]],
  ])("%s", async (_, accountId, minorUnits, decision, rules) => {
    const { check } = await fraud().evaluate(request(accountId, minorUnits));
    expect(check).toMatchObject({ decision, rules, released: false });
    expect(check?.decideTime === undefined).toBe(decision === FraudDecision.REVIEW);
  });

  test("adds up passed payments only, so that a decline costs the payer nothing", async () => {
    await fraud().evaluate(request("bob", 100n));
    await fraud().evaluate(request("bob", 5000n));
    await fraud().evaluate(request("bob", 700n));
    expect(await tallyOf("bob")).toBe(100n);
  });

  test("stops a tally at the int64 limit and gives back what it added, so that it never wraps", async () => {
    const huge = "XTS";
    const db = await alone.platform.database("fraud");
    await fraud().evaluate(request("midas", 1n, huge));
    const filter = { accountId: "midas" };
    await db.collection("tallies").updateOne(filter, { $set: { amount: 2n ** 63n - 5n } });
    const last = request("midas", 10n ** 15n, huge);
    const { check } = await fraud().evaluate(last);
    expect(check?.decision).toBe(FraudDecision.PASS);
    expect(await tallyOf("midas", huge)).toBe(2n ** 63n - 1n);
    await fraud().release({ checkId: last.checkId });
    expect(await tallyOf("midas", huge)).toBe(2n ** 63n - 5n);
  });
});

describe("one check per id", () => {
  test("decides once and counts once when 32 callers ask for the same check at the same time", async () => {
    const other = await alone.another();
    const peers = [fraud(), createPeer(FraudService, `http://${other.address}`)];
    const same = request("carol", 50n);
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, i) => (peers[i % 2] ?? fraud()).evaluate(same)),
    );
    expect(new Set(answers.map(({ check }) => JSON.stringify(check?.createTime?.nanos))).size).toBe(
      1,
    );
    expect(await tallyOf("carol")).toBe(50n);
  });

  test("answers a repeat as stored although the rules changed, so that a payment is not judged twice", async () => {
    const first = request("dave", 100n);
    const before = await fraud().evaluate(first);
    await underRules({ deniedAccountIds: ["dave"] }, async () => {
      expect(await fraud().evaluate(first)).toEqual(before);
      expect((await fraud().evaluate(request("dave", 100n))).check?.rules).toEqual(["DENY_LIST"]);
    });
  });

  test.each([
    ["payment", { paymentId: "another" }],
    ["account", { accountId: "another" }],
    ["amount", { amount: { currencyCode: USD, minorUnits: 2n } }],
    ["currency", { amount: { currencyCode: "EUR", minorUnits: 1n } }],
  ])("refuses the same id for another %s, so that no verdict is borrowed", async (_, change) => {
    const first = request("erin", 1n);
    await fraud().evaluate(first);
    const refused = fraud().evaluate({ ...first, ...change });
    await expect(refused).rejects.toSatisfy((e) => reasonOf(e) === "CHECK_ID_REUSED");
  });

  test("keeps tenants apart, so that an id of one says nothing about the other's", async () => {
    const first = request("frank", 5n);
    await fraud().evaluate(first);
    const elsewhere = await fraud().evaluate(
      { ...first, paymentId: "theirs" },
      onBehalfOf({ tenant: "other" }),
    );
    expect(elsewhere.check?.paymentId).toBe("theirs");
  });
});

describe("the cumulative limit", () => {
  test("lets exactly as many through as fit when 40 payments race over two instances", async () => {
    const other = await alone.another();
    const peers = [fraud(), createPeer(FraudService, `http://${other.address}`)];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (peers[i % 2] ?? fraud()).evaluate(request("grace", 100n, "EUR")),
      ),
    );
    const passed = answers.filter(({ check }) => check?.decision === FraudDecision.PASS);
    const failed = answers.filter(({ check }) => check?.rules.includes("CUMULATIVE_LIMIT"));
    expect([passed.length, failed.length]).toEqual([10, 30]);
    expect(await tallyOf("grace", "EUR")).toBe(1000n);
  });

  test("gives room back once when a passed check is released by many at once", async () => {
    const first = request("heidi", 1000n, "EUR");
    await fraud().evaluate(first);
    expect((await fraud().evaluate(request("heidi", 1n, "EUR"))).check?.rules).toEqual([
      "CUMULATIVE_LIMIT",
    ]);
    const releases = Array.from({ length: 8 }, () => fraud().release({ checkId: first.checkId }));
    for (const { check } of await Promise.all(releases)) expect(check?.released).toBe(true);
    expect(await tallyOf("heidi", "EUR")).toBe(0n);
    const { check } = await fraud().evaluate(request("heidi", 1000n, "EUR"));
    expect(check?.decision).toBe(FraudDecision.PASS);
  });
});

describe("mock delay", () => {
  test("answers a caller who gave up and came back once the thinking time is over", async () => {
    await underRules({ mockDelay: durationFromMs(600) }, async () => {
      const slow = request("ivan", 1n);
      const hasty = fraud().evaluate(slow, { timeoutMs: 100 });
      await expect(hasty).rejects.toMatchObject({ code: Code.DeadlineExceeded });
      const { check } = await fraud().evaluate(slow);
      expect(check?.decision).toBe(FraudDecision.PASS);
      const answeredMs = Date.now() - timestampMs(check?.createTime ?? timestampNow());
      expect(answeredMs).toBeGreaterThanOrEqual(600);
      expect(await tallyOf("ivan")).toBe(1n);
    });
  });
});

test.each([
  ["no amount", { amount: undefined }],
  ["zero", { amount: { currencyCode: USD, minorUnits: 0n } }],
  ["above 10^15", { amount: { currencyCode: USD, minorUnits: 10n ** 15n + 1n } }],
  ["no currency of this world", { amount: { currencyCode: "ABC", minorUnits: 1n } }],
  ["a check id with a space", { checkId: "a b" }],
  ["no account", { accountId: "" }],
])("refuses %s as INVALID_ARGUMENT and stores nothing", async (_, change) => {
  const bad = { ...request("judy", 1n), ...change };
  await expect(fraud().evaluate(bad)).rejects.toMatchObject({ code: 3 });
  expect(await tallyOf("judy")).toBe(0n);
});
