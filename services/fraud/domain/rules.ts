import type { Money } from "#kit/pure/money.ts";
import type { Settings } from "./settings.ts";

/**
 * What a check can be told by. The first three fail a payment, REVIEW_LIMIT asks a person, RELEASED marks a check
 * whose payment was given up before anybody decided.
 */
export type Rule = "DENY_LIST" | "AMOUNT_LIMIT" | "CUMULATIVE_LIMIT" | "REVIEW_LIMIT" | "RELEASED";

/** What the rules say. */
export interface Finding {
  readonly decision: "PASS" | "FAIL" | "REVIEW";
  /** Every rule that spoke, in the order of `Rule`; empty for a PASS. */
  readonly rules: readonly Rule[];
}

/**
 * Measures a payment by the rules; limits are inclusive (an amount equal to a limit is within it). A rule that
 * fails outweighs one that asks a person. `tally` is the sum of the account's passed payments in the currency.
 */
export function evaluateRules(
  settings: Settings,
  payment: { readonly accountId: string; readonly amount: Money },
  tally: bigint,
): Finding {
  const { currencyCode, minorUnits } = payment.amount;
  const failing: Rule[] = [];
  if (settings.deniedAccountIds.has(payment.accountId)) failing.push("DENY_LIST");
  if (above(minorUnits, settings.amountLimits.get(currencyCode))) failing.push("AMOUNT_LIMIT");
  if (above(tally + minorUnits, settings.cumulativeLimits.get(currencyCode))) {
    failing.push("CUMULATIVE_LIMIT");
  }
  const asking: Rule[] = above(minorUnits, settings.reviewLimits.get(currencyCode))
    ? ["REVIEW_LIMIT"]
    : [];
  const rules = [...failing, ...asking];
  if (failing.length > 0) return { decision: "FAIL", rules };
  return { decision: asking.length > 0 ? "REVIEW" : "PASS", rules };
}

function above(value: bigint, limit: bigint | undefined): boolean {
  return limit !== undefined && value > limit;
}
