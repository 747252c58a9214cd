import { afterAll, beforeAll, expect, test } from "vitest";
import { freshPrefix } from "#test/support/env.ts";
import {
  dropBook,
  order,
  type RunningGateway,
  reasonOfCall,
  startGateway,
  usd,
} from "./gateway.support.ts";

const prefix = freshPrefix();
let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await startGateway(prefix);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await dropBook(prefix);
});

async function captured(authorizationKey: string): Promise<string> {
  await gateway.client.authorize(order(authorizationKey));
  const idempotencyKey = `${authorizationKey}:c`;
  await gateway.client.capture({ idempotencyKey, authorizationKey });
  return authorizationKey;
}

function refund(authorizationKey: string, key: string, minorUnits?: bigint) {
  return gateway.client.refund({
    idempotencyKey: `${authorizationKey}:${key}`,
    authorizationKey,
    ...(minorUnits === undefined ? {} : { amount: usd(minorUnits) }),
  });
}

async function refunded(authorizationKey: string): Promise<bigint | undefined> {
  const { transaction } = await gateway.client.getTransaction({ authorizationKey });
  return transaction?.refundedAmount?.minorUnits;
}

test("gives back parts, then what is left, and then nothing more", async () => {
  const key = await captured("parts");
  await refund(key, "r1", 200n);
  expect((await refund(key, "r2", 50n)).transaction?.refundedAmount).toMatchObject(usd(250n));
  expect((await refund(key, "r3")).transaction?.refundedAmount).toMatchObject(usd(1250n));
  expect(await reasonOfCall(refund(key, "r4", 1n))).toBe("REFUND_EXCEEDS_CAPTURED");
  expect(await reasonOfCall(refund(key, "r5"))).toBe("REFUND_EXCEEDS_CAPTURED");
});

test("32 calls with one key give back once", async () => {
  const key = await captured("once");
  await Promise.all(Array.from({ length: 32 }, () => refund(key, "r", 100n)));
  expect(await refunded(key)).toBe(100n);
});

test("parts that race each other never exceed what was captured, and all that fits gets through", async () => {
  const key = await captured("race");
  const calls = Array.from({ length: 32 }, (_, i) => refund(key, `r${i}`, 100n));
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(12);
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    // Refused for good: the same call must not get through later, when its caller has given up.
    expect(await reasonOfCall(refund(key, `r${i}`, 100n))).toBe("REFUND_EXCEEDS_CAPTURED");
  }
  expect(await refunded(key)).toBe(1200n);
});

test("gives nothing back of what was not captured", async () => {
  await gateway.client.authorize(order("authorised"));
  expect(await reasonOfCall(refund("authorised", "r", 1n))).toBe("REFUND_EXCEEDS_CAPTURED");
  expect(await reasonOfCall(refund("unseen", "r", 1n))).toBe("GATEWAY_TRANSACTION_NOT_FOUND");
  const key = await captured("euros");
  const euros = { currencyCode: "EUR", minorUnits: 1n };
  const call = { idempotencyKey: "euros:r", authorizationKey: key, amount: euros };
  expect(await reasonOfCall(gateway.client.refund(call))).toBe("CURRENCY_MISMATCH");
});
