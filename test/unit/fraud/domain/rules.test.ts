import { describe, expect, test } from "vitest";
import { INT64_MAX } from "#kit/pure/money.ts";
import { evaluateRules } from "#services/fraud/domain/rules.ts";
import { NO_RULES } from "#services/fraud/domain/settings.ts";

const usd = (minorUnits: bigint) => ({
  accountId: "alice",
  amount: { currencyCode: "USD", minorUnits },
});
const limit = (minorUnits: bigint) => new Map([["USD", minorUnits]]);

test("without rules everything passes, also an account whose tally is full", () => {
  expect(evaluateRules(NO_RULES, usd(10n ** 15n), INT64_MAX)).toEqual({
    decision: "PASS",
    rules: [],
  });
});

describe.each([
  ["AMOUNT_LIMIT", { amountLimits: limit(100n) }, 0n, "FAIL"],
  ["REVIEW_LIMIT", { reviewLimits: limit(100n) }, 0n, "REVIEW"],
  ["CUMULATIVE_LIMIT", { cumulativeLimits: limit(150n) }, 50n, "FAIL"],
] as const)("%s", (rule, settings, tally, decision) => {
  test("lets the limit itself through and stops one unit more", () => {
    const rules = { ...NO_RULES, ...settings };
    expect(evaluateRules(rules, usd(100n), tally).decision).toBe("PASS");
    expect(evaluateRules(rules, usd(101n), tally)).toEqual({ decision, rules: [rule] });
  });

  test("says nothing about another currency", () => {
    const rules = { ...NO_RULES, ...settings };
    const eur = { accountId: "alice", amount: { currencyCode: "EUR", minorUnits: 10n ** 15n } };
    expect(evaluateRules(rules, eur, tally).decision).toBe("PASS");
  });
});

test("a rule that fails outweighs one that asks a person, and both are named", () => {
  const rules = {
    ...NO_RULES,
    deniedAccountIds: new Set(["alice"]),
    amountLimits: limit(0n),
    cumulativeLimits: limit(0n),
    reviewLimits: limit(0n),
  };
  expect(evaluateRules(rules, usd(1n), 0n)).toEqual({
    decision: "FAIL",
    rules: ["DENY_LIST", "AMOUNT_LIMIT", "CUMULATIVE_LIMIT", "REVIEW_LIMIT"],
  });
});
