import { expect, test } from "vitest";
import { readFraudConfig } from "#services/fraud/config.ts";

test("reads limits as exact minor units", () => {
  const { rules } = readFraudConfig({
    SETTLE_FRAUD_AMOUNT_LIMITS: "USD:9223372036854775807,JPY:1",
    SETTLE_FRAUD_DENIED_ACCOUNTS: "mallory,eve",
    SETTLE_FRAUD_MOCK_DELAY: "250ms",
  });
  expect(rules.amountLimits.get("USD")).toBe(2n ** 63n - 1n);
  expect([...rules.deniedAccountIds]).toEqual(["mallory", "eve"]);
  expect(rules.mockDelayMs).toBe(250);
});

test("has no rule by default", () => {
  const { rules } = readFraudConfig({});
  expect([rules.amountLimits.size, rules.reviewLimits.size, rules.cumulativeLimits.size]).toEqual([
    0, 0, 0,
  ]);
});

test.each(["USD", "USD:", "USD:1.5", "USD:-1", "ABC:1", "USD:9223372036854775808", "USD:1,,"])(
  "refuses the limit %s by name, so that no rule is off by mistake",
  (text) => {
    expect(() => readFraudConfig({ SETTLE_FRAUD_REVIEW_LIMITS: text })).toThrow(
      "SETTLE_FRAUD_REVIEW_LIMITS",
    );
  },
);
