import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INT64_MAX } from "#kit/pure/money.ts";
import {
  type Check,
  decideCheck,
  openCheck,
  releaseCheck,
  repeatCheck,
  tombstone,
} from "#services/fraud/domain/check.ts";
import { NO_RULES } from "#services/fraud/domain/settings.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const subject = (minorUnits = 100n) => ({
  paymentId: "p",
  accountId: "alice",
  amount: { currencyCode: "USD", minorUnits },
});
const reviewAbove = (limit: bigint) => ({ ...NO_RULES, reviewLimits: new Map([["USD", limit]]) });
const verdict = (decision: "PASS" | "FAIL", callId = "call") => ({
  decision,
  actor: "rita",
  note: "",
  callId,
});

describe("a tally", () => {
  test("is what the checks hold, whatever happens to them and in which order", () => {
    const operation = fc.record({
      kind: fc.constantFrom("open", "decide-pass", "decide-fail", "release"),
      check: fc.nat({ max: 4 }),
      amount: fc.bigInt({ min: 1n, max: 10n ** 15n }),
    });
    const opening = fc.constantFrom(0n, INT64_MAX - 10n ** 15n);
    fc.assert(
      fc.property(opening, fc.array(operation, { maxLength: 40 }), (before, operations) => {
        const checks = new Map<number, Check>();
        let tally = before;
        for (const { kind, check: index, amount } of operations) {
          const found = checks.get(index);
          const moved = apply(kind, found, amount, tally);
          if (moved === undefined) continue;
          checks.set(index, moved.check);
          tally += moved.tallyDelta;
        }
        const held = [...checks.values()].reduce((sum, check) => sum + check.tallied, before);
        expect(tally).toBe(held);
        expect(tally >= before && tally <= INT64_MAX).toBe(true);
      }),
    );
  });
});

function apply(kind: string, found: Check | undefined, amount: bigint, tally: bigint) {
  if (kind === "open") {
    const rules = reviewAbove(amount % 2n === 0n ? 0n : amount);
    return found ? undefined : openCheck("c", subject(amount), rules, tally, NOW);
  }
  if (kind === "release") {
    return found ? releaseCheck(found, NOW) : { check: tombstone("c", NOW), tallyDelta: 0n };
  }
  if (found === undefined) return undefined;
  const decided = decideCheck(found, verdict(kind === "decide-pass" ? "PASS" : "FAIL"), tally, NOW);
  return decided.ok ? decided.value : undefined;
}

describe("a decision", () => {
  const waiting = openCheck("c", subject(), reviewAbove(99n), 0n, NOW).check;

  test("is repeated by the same call and refused to another, so that a retry is safe", () => {
    const first = decideCheck(waiting, verdict("PASS", "one"), 0n, NOW);
    if (!first.ok) throw new Error(first.reason);
    const again = decideCheck(first.value.check, verdict("PASS", "one"), 100n, NOW);
    expect(again).toEqual({ ok: true, value: { check: first.value.check, tallyDelta: 0n } });
    const other = decideCheck(first.value.check, verdict("PASS", "two"), 100n, NOW);
    expect(other).toEqual({ ok: false, reason: "CHECK_ALREADY_DECIDED" });
  });

  test("is refused on what the rules decided, also to a call without an id", () => {
    const passed = openCheck("c", subject(), NO_RULES, 0n, NOW).check;
    for (const check of [passed, tombstone("c", NOW)]) {
      expect(decideCheck(check, verdict("FAIL"), 0n, NOW).ok).toBe(false);
    }
  });
});

test("a tombstone takes its subject over once and stays failed", () => {
  const taken = repeatCheck(tombstone("c", NOW), subject());
  if (!taken.ok) throw new Error(taken.reason);
  expect(taken.value).toMatchObject({ decision: "FAIL", rules: ["RELEASED"], tallied: 0n });
  expect(repeatCheck(taken.value, subject()).ok).toBe(true);
  expect(repeatCheck(taken.value, subject(101n))).toEqual({ ok: false, reason: "CHECK_ID_REUSED" });
});
