import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FraudDecision, FraudService, type Settings } from "#gen/fraud/v1/fraud_pb.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readFraudConfig } from "#services/fraud/config.ts";
import { startFraudService } from "#services/fraud/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

let alone: Alone;

beforeAll(async () => {
  alone = await startAlone(readFraudConfig, startFraudService, {
    SETTLE_FRAUD_AMOUNT_LIMITS: "USD:1000,EUR:900",
    SETTLE_FRAUD_DENIED_ACCOUNTS: "mallory,eve",
  });
});
afterAll(() => alone[Symbol.asyncDispose]());

const fraud = () => createPeer(FraudService, alone.url);
const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });

async function present(): Promise<Settings> {
  const { settings } = await fraud().getSettings({});
  if (settings === undefined) throw new Error("no settings");
  return settings;
}

test("begins with the rules of the configuration, in every tenant", async () => {
  const expected = {
    amountLimits: [{ currencyCode: "EUR", minorUnits: 900n }, usd(1000n)],
    reviewLimits: [],
    cumulativeLimits: [],
    deniedAccountIds: ["eve", "mallory"],
  };
  expect(await present()).toMatchObject(expected);
  const theirs = await fraud().getSettings({}, onBehalfOf({ tenant: "other" }));
  expect(theirs.settings).toMatchObject(expected);
});

test("rules the next check of every instance as soon as it has answered", async () => {
  const other = await alone.another();
  const { settings } = await fraud().updateSettings({
    settings: { amountLimits: [usd(5n)], mockDelay: durationFromMs(1) },
  });
  expect(await present()).toEqual(settings);
  const { check } = await createPeer(FraudService, `http://${other.address}`).evaluate({
    checkId: "c1",
    paymentId: "p1",
    accountId: "alice",
    amount: usd(6n),
  });
  expect(check?.decision).toBe(FraudDecision.FAIL);
  await alone.restart();
  expect(await present()).toEqual(settings);
});

test("lets one of 8 operators who read the same rules replace them, so that no change is lost unseen", async () => {
  const { etag } = await present();
  const updates = Array.from({ length: 8 }, (_, i) =>
    fraud().updateSettings({ settings: { amountLimits: [usd(BigInt(i + 10))], etag } }),
  );
  const settled = await Promise.allSettled(updates);
  expect(settled.filter((update) => update.status === "fulfilled")).toHaveLength(1);
  for (const update of settled) {
    if (update.status === "rejected") expect(reasonOf(update.reason)).toBe("ETAG_MISMATCH");
  }
});

test("answers a repeat with the same request_id as the first time, although others came after it", async () => {
  const request = { requestId: "r1", settings: { amountLimits: [usd(50n)] } };
  const first = await fraud().updateSettings(request);
  await fraud().updateSettings({ settings: { amountLimits: [usd(60n)] } });
  expect(await fraud().updateSettings(request)).toEqual(first);
  expect((await present()).amountLimits).toMatchObject([usd(60n)]);
});

test.each([
  ["a negative limit", { amountLimits: [usd(-1n)] }],
  ["two limits of one currency", { reviewLimits: [usd(1n), usd(2n)] }],
  ["a currency that is none", { cumulativeLimits: [{ currencyCode: "ABC", minorUnits: 1n }] }],
  ["a delay of more than a minute", { mockDelay: durationFromMs(60_001) }],
])("refuses %s as INVALID_ARGUMENT and changes nothing", async (_, settings) => {
  const before = await present();
  await expect(fraud().updateSettings({ settings })).rejects.toMatchObject({ code: 3 });
  expect(await present()).toEqual(before);
});
