import { expect, test } from "vitest";
import { nextLookAt, WAITING_LOOK_MAX_MS } from "#services/payment/domain/next-look.ts";
import { hasReached } from "#services/payment/domain/payment.ts";
import { DEFAULT_POLICY } from "#services/payment/domain/policy.ts";
import { acceptedPayment } from "../builders.ts";

const START = new Date("2030-01-01T00:00:00Z");
const after = (ms: number) => new Date(START.getTime() + ms);
const MINUTE = 60_000;

const waiting = acceptedPayment({
  status: "REQUIRES_CAPTURE",
  step: "CAPTURE",
  updateTime: START,
  captureStartTime: START,
});
const look = (payment: typeof waiting, now: Date) => nextLookAt(payment, DEFAULT_POLICY, now);

test("a payment that waits is looked at after as long as it has waited, at most an hour", () => {
  expect(look(waiting, after(MINUTE))).toEqual(after(2 * MINUTE));
  expect(look(waiting, after(600 * MINUTE))).toEqual(after(600 * MINUTE + WAITING_LOOK_MAX_MS));
});

test("a payment that waits is looked at when its time is over, whose run may be lost", () => {
  const almost = DEFAULT_POLICY.captureExpiryMs - MINUTE;
  expect(look(waiting, after(almost))).toEqual(after(DEFAULT_POLICY.captureExpiryMs));
  const parked = acceptedPayment({
    step: "AWAIT_CALLBACK",
    updateTime: START,
    gatewayStartTime: START,
  });
  expect(look(parked, after(4 * MINUTE))).toEqual(after(5 * MINUTE));
});

test("a payment on its way, or decided, is looked at as usual", () => {
  expect(look(acceptedPayment({ step: "GATEWAY" }), after(MINUTE))).toBeUndefined();
  const undoing = { kind: "UNDOING", reason: "CANCELLED" } as const;
  expect(look({ ...waiting, phase: undoing }, after(MINUTE))).toBeUndefined();
});

test("a payment is validated once something is seen that only comes behind its hold, not when a step merely takes longer", () => {
  const slow = acceptedPayment({ status: "PROCESSING", step: "GATEWAY", version: 7n });
  expect(hasReached(slow, "VALIDATED")).toBe(false);
  for (const step of ["AWAIT_CALLBACK", "FRAUD_CHECK", "CAPTURE"] as const)
    expect(hasReached({ ...slow, step }, "VALIDATED")).toBe(true);
  const phase = { kind: "CAPTURING", amount: 1n, requestId: "" } as const;
  expect(hasReached({ ...slow, phase }, "VALIDATED")).toBe(true);
});
