import { INT64_MAX, type Money } from "#kit/pure/money.ts";
import { no, ok, type Result } from "#kit/pure/result.ts";
import { evaluateRules, type Rule } from "./rules.ts";
import type { Settings } from "./settings.ts";

/** What is stored about a payment. REVIEW lasts until a person decides or the check is released. */
export type Decision = "PASS" | "FAIL" | "REVIEW";

/** `decidedBy` of a check that no person decided. */
export const DECIDED_BY_RULES = "rules";

/** What a check is about; another subject under the same id is CHECK_ID_REUSED. */
export interface Subject {
  readonly paymentId: string;
  readonly accountId: string;
  readonly amount: Money;
}

/** One check. */
export interface Check {
  readonly id: string;
  /** Undefined for a tombstone: a release that came before its check. */
  readonly subject: Subject | undefined;
  readonly decision: Decision;
  readonly rules: readonly Rule[];
  /** `rules`, or who decided. */
  readonly decidedBy: string;
  readonly note: string;
  /** The call that decided, so that its repeat is recognised; empty for rules. */
  readonly decisionCallId: string;
  readonly released: boolean;
  /** Minor units this check added to the tally and has not given back. */
  readonly tallied: bigint;
  readonly createTime: Date;
  /** When it was decided for good; undefined while in REVIEW. */
  readonly decideTime: Date | undefined;
}

/** A check after a decision, with what the account's tally moves by (0n: it stays). */
export interface Moved {
  readonly check: Check;
  readonly tallyDelta: bigint;
}

/** Makes a check by the rules. `tally` is the account's sum in the payment's currency. */
export function openCheck(
  id: string,
  subject: Subject,
  settings: Settings,
  tally: bigint,
  now: Date,
): Moved {
  const { decision, rules } = evaluateRules(settings, subject, tally);
  const share = decision === "PASS" ? tallyShare(subject, tally) : 0n;
  const check: Check = {
    id,
    subject,
    decision,
    rules,
    decidedBy: decision === "REVIEW" ? "" : DECIDED_BY_RULES,
    note: "",
    decisionCallId: "",
    released: false,
    tallied: share,
    createTime: now,
    decideTime: decision === "REVIEW" ? undefined : now,
  };
  return { check, tallyDelta: share };
}

/**
 * What a repeated Evaluate finds. A tombstone takes the subject over and stays FAIL(RELEASED); any other subject
 * than the stored one is CHECK_ID_REUSED.
 */
export function repeatCheck(stored: Check, subject: Subject): Result<Check, "CHECK_ID_REUSED"> {
  if (stored.subject === undefined) return ok({ ...stored, subject });
  return sameSubject(stored.subject, subject) ? ok(stored) : no("CHECK_ID_REUSED");
}

/** The tombstone of a check that was released before it came: it fails when it comes. */
export function tombstone(id: string, now: Date): Check {
  return {
    id,
    subject: undefined,
    decision: "FAIL",
    rules: ["RELEASED"],
    decidedBy: DECIDED_BY_RULES,
    note: "",
    decisionCallId: "",
    released: true,
    tallied: 0n,
    createTime: now,
    decideTime: now,
  };
}

/** Gives the check's share back, once. One that still waits for a person fails, so that nobody decides it in vain. */
export function releaseCheck(check: Check, now: Date): Moved {
  if (check.released) return { check, tallyDelta: 0n };
  const released: Check = { ...check, released: true, tallied: 0n };
  const closed: Check =
    check.decision === "REVIEW"
      ? {
          ...released,
          decision: "FAIL",
          rules: [...check.rules, "RELEASED"],
          decidedBy: DECIDED_BY_RULES,
          decideTime: now,
        }
      : released;
  return { check: closed, tallyDelta: -check.tallied };
}

/** A person's decision. */
export interface Verdict {
  readonly decision: "PASS" | "FAIL";
  readonly actor: string;
  readonly note: string;
  /** Id of the call; a repeat of the same call finds its own decision. */
  readonly callId: string;
}

/** Decides a check in REVIEW; the first decision is kept. A PASS takes its share even above the cumulative limit. */
export function decideCheck(
  check: Check,
  verdict: Verdict,
  tally: bigint,
  now: Date,
): Result<Moved, "CHECK_ALREADY_DECIDED"> {
  if (check.decision !== "REVIEW" || check.subject === undefined) {
    const repeated = check.decisionCallId === verdict.callId;
    return repeated ? ok({ check, tallyDelta: 0n }) : no("CHECK_ALREADY_DECIDED");
  }
  const share = verdict.decision === "PASS" ? tallyShare(check.subject, tally) : 0n;
  const decided: Check = {
    ...check,
    decision: verdict.decision,
    decidedBy: verdict.actor,
    note: verdict.note,
    decisionCallId: verdict.callId,
    tallied: share,
    decideTime: now,
  };
  return ok({ check: decided, tallyDelta: share });
}

/** A tally stops at the int64 limit instead of wrapping; a check gives back exactly what it added. */
function tallyShare(subject: Subject, tally: bigint): bigint {
  const { minorUnits } = subject.amount;
  if (tally + minorUnits <= INT64_MAX) return minorUnits;
  return INT64_MAX - tally;
}

function sameSubject(a: Subject, b: Subject): boolean {
  return (
    a.paymentId === b.paymentId &&
    a.accountId === b.accountId &&
    a.amount.currencyCode === b.amount.currencyCode &&
    a.amount.minorUnits === b.amount.minorUnits
  );
}
