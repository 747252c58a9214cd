import { expect, test } from "vitest";
import {
  type Decision,
  decideCapture,
  decideRefund,
  decideVoid,
  newTombstone,
  newTransaction,
  type Transaction,
  type TransactionState,
} from "#services/gateway/domain/transaction.ts";

const beginning = { authorizationKey: "k", gatewayReference: "g", now: new Date(0) };
const order = { merchantReference: "p1", amount: { currencyCode: "USD", minorUnits: 100n } };
const opening = { state: "AUTHORIZED", upcoming: "NONE", dropsAnswers: false } as const;
const authorized = newTransaction(beginning, order, { ...opening, declineReason: "" });

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });

function inState(state: TransactionState, changes: Partial<Transaction> = {}): Transaction {
  return { ...authorized, state, ...changes };
}

const outcome = (decision: Decision) => (decision.ok ? decision.value.state : decision.reason);

test("capture is decided by the state alone, so that it takes effect once", () => {
  const states = ["PENDING", "AUTHORIZED", "CAPTURED", "VOIDED", "DECLINED"] as const;
  const outcomes = states.map((state) =>
    outcome(decideCapture(inState(state, { capturedMinor: 40n }), usd(50n))),
  );
  expect(outcomes).toEqual([
    "GATEWAY_PENDING",
    "CAPTURED",
    "GATEWAY_ALREADY_CAPTURED",
    "GATEWAY_DECLINED",
    "GATEWAY_DECLINED",
  ]);
});

test("capture without an amount means all of it, also when it is compared with an earlier one", () => {
  const first = decideCapture(authorized, undefined);
  expect(first.ok && first.value.capturedMinor).toBe(100n);
  const whole = inState("CAPTURED", { capturedMinor: 100n });
  expect(decideCapture(whole, undefined)).toEqual({ ok: true, value: whole });
  const part = inState("CAPTURED", { capturedMinor: 99n });
  expect(outcome(decideCapture(part, undefined))).toBe("GATEWAY_ALREADY_CAPTURED");
});

test("void ends what is open and leaves what is closed as it is", () => {
  for (const state of ["CAPTURED", "VOIDED", "DECLINED"] as const) {
    const closed = inState(state);
    expect(decideVoid(closed)).toEqual({ ok: true, value: closed });
  }
  for (const state of ["PENDING", "AUTHORIZED"] as const) {
    expect(outcome(decideVoid(inState(state)))).toBe("VOIDED");
  }
});

test("void calls off what is to come, except where being late is the point", () => {
  const onTime = decideVoid(inState("PENDING", { upcoming: "ON_TIME" }));
  expect(onTime.ok && onTime.value.upcoming).toBe("NONE");
  const late = decideVoid(inState("PENDING", { upcoming: "EVEN_IF_VOIDED" }));
  expect(late.ok && late.value.upcoming).toBe("EVEN_IF_VOIDED");
});

test("refunds add up to what was captured and not one unit more", () => {
  let transaction = inState("CAPTURED", { capturedMinor: 10n });
  for (let i = 0; i < 10; i += 1) {
    const decision = decideRefund(transaction, usd(1n));
    if (decision.ok) transaction = decision.value;
  }
  expect(transaction.refundedMinor).toBe(10n);
  expect(outcome(decideRefund(transaction, usd(1n)))).toBe("REFUND_EXCEEDS_CAPTURED");
  expect(outcome(decideRefund(transaction, undefined))).toBe("REFUND_EXCEEDS_CAPTURED");
});

test("a tombstone gives nothing away: no capture, no refund, no authorisation to come", () => {
  const tombstone = newTombstone(beginning);
  expect(tombstone.upcoming).toBe("NONE");
  expect(outcome(decideCapture(tombstone, undefined))).toBe("GATEWAY_DECLINED");
  expect(outcome(decideRefund(tombstone, undefined))).toBe("REFUND_EXCEEDS_CAPTURED");
});
