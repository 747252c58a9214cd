import { isCurrency } from "#kit/pure/currency.ts";
import { type Money, REQUEST_AMOUNT_MAX } from "#kit/pure/money.ts";
import type { ReasonTable } from "#kit/pure/reasons.ts";
import { Refusal, refuseField } from "#kit/refusal.ts";
import type { LedgerOutcome } from "../domain/request.ts";
import { type DeclineFacts, REVERSAL_SUFFIX } from "../domain/transfer.ts";
import { accountReasons } from "../reasons.ts";

const REASONS: ReasonTable = accountReasons;

/** Every request with an amount calls it `amount`. */
const CURRENCY_FIELD = [
  { field: "amount.currency_code", description: "is not the currency of what it is about" },
];

/** A refusal that says to which id it happened; the same facts give the same words, also years later. */
export function refusal(reason: string, facts: DeclineFacts): Refusal {
  const info = REASONS[reason];
  const subject = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  return new Refusal(reason, {
    metadata: facts,
    ...(info && subject.length > 0 ? { message: `${subject.join(", ")}: ${info.message}` } : {}),
    ...(reason === "CURRENCY_MISMATCH" ? { fields: CURRENCY_FIELD } : {}),
  });
}

/** The accepted outcome, or the refusal it is. */
export function accepted(outcome: LedgerOutcome): Extract<LedgerOutcome, { ok: true }> {
  if (outcome.ok) return outcome;
  throw refusal(outcome.reason, outcome.facts);
}

/** The second wall: what protovalidate let through is checked again where no transport is involved. */
export function checkAmount(amount: Money): void {
  if (!isCurrency(amount.currencyCode)) {
    throw refuseField("amount.currency_code", "not an ISO 4217 code", "UNSUPPORTED_CURRENCY");
  }
  if (amount.minorUnits < 1n || amount.minorUnits > REQUEST_AMOUNT_MAX) {
    throw refuseField("amount.minor_units", "must be from 1 to 10^15", "INVALID_AMOUNT");
  }
}

/** Reversals are named by the house. */
export function checkTransactionId(id: string): void {
  if (id.endsWith(REVERSAL_SUFFIX)) {
    throw refuseField("transaction_id", `must not end in ${REVERSAL_SUFFIX}`);
  }
}
