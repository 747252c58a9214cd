/** What must hold in the books, in the order in which an audit reports it. */
export const INVARIANTS = {
  A1: "postings sum to 0 per currency, each on accounts that exist",
  A2: "every balance is the sum of its postings, and held the sum of its holds",
  A3: "no customer is below the floor of 0, held money counted",
  A4: "one payment per request id",
  A5: "every payment that ended is in exactly one final state",
  A6: "the ledger's effect fits the payment's state",
  A7: "the provider's own book agrees",
  A8: "one notification per final event, of the fitting kind, which tells what happened",
  A9: "nothing is held or tallied for a payment that ended without it, and tallies are the sums of their checks",
  A10: "no acknowledged answer was contradicted",
  A11: "captured − refunded − reserved is at least 0, and both are the sums of the refunds",
} as const;

/** A1 to A11. */
export type InvariantId = keyof typeof INVARIANTS;

/** The ids in order. */
export const INVARIANT_IDS: readonly InvariantId[] = [
  "A1",
  "A2",
  "A3",
  "A4",
  "A5",
  "A6",
  "A7",
  "A8",
  "A9",
  "A10",
  "A11",
];

/** One object that breaks an invariant. */
export interface Violation {
  readonly invariant: InvariantId;
  /** The payment, account, transfer, hold or currency to look at. */
  readonly id: string;
  readonly detail: string;
}

/** One violation for everything that is wrong with one object; none when nothing is. */
export function violationsOf(
  invariant: InvariantId,
  id: string,
  details: readonly string[],
): readonly Violation[] {
  return details.length === 0 ? [] : [{ invariant, id, detail: details.join("; ") }];
}

/** Most violations that are named per invariant; all are counted. */
export const NAMED_VIOLATIONS_MAX = 100;

/** What an audit found out about one invariant. */
export interface InvariantFinding {
  readonly id: InvariantId;
  readonly result: "OK" | "BROKEN" | "NOT_CHECKED";
  /** Objects looked at. */
  readonly checked: bigint;
  readonly violationCount: bigint;
  /** The first `NAMED_VIOLATIONS_MAX`. */
  readonly violations: readonly Violation[];
}

/** Collects what the parts of an audit find, in bounded memory. */
export interface Findings {
  /** Counts objects that were looked at. */
  looked(invariant: InvariantId, count?: bigint): void;
  broken(violations: readonly Violation[]): void;
  /** All invariants in order. */
  summary(): readonly InvariantFinding[];
}

/** An empty collection. A10 stays NOT_CHECKED until something was looked at. */
export function collectFindings(): Findings {
  const looked = new Map<InvariantId, bigint>();
  const counts = new Map<InvariantId, bigint>();
  const named = new Map<InvariantId, Violation[]>();
  const countOf = (id: InvariantId): bigint => counts.get(id) ?? 0n;
  return {
    looked: (id, count = 1n) => void looked.set(id, (looked.get(id) ?? 0n) + count),
    broken(violations) {
      for (const violation of violations) {
        const { invariant } = violation;
        counts.set(invariant, countOf(invariant) + 1n);
        const list = named.get(invariant) ?? [];
        if (list.length < NAMED_VIOLATIONS_MAX) named.set(invariant, [...list, violation]);
      }
    },
    summary: () =>
      INVARIANT_IDS.map((id) => ({
        id,
        result: resultOf(id, looked.get(id) ?? 0n, countOf(id)),
        checked: looked.get(id) ?? 0n,
        violationCount: countOf(id),
        violations: named.get(id) ?? [],
      })),
  };
}

function resultOf(id: InvariantId, checked: bigint, broken: bigint): InvariantFinding["result"] {
  if (broken > 0n) return "BROKEN";
  return id === "A10" && checked === 0n ? "NOT_CHECKED" : "OK";
}
