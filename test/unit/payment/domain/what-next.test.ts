import { expect, test } from "vitest";
import { whatNext } from "#services/payment/domain/what-next.ts";

test.each(["FAILED", "CANCELLED"] as const)(
  "nothing of a %s payment can be given back",
  (status) => {
    expect(whatNext(status)).toMatch(/nothing was taken/);
    expect(whatNext(status)).not.toMatch(/Refund|Capture|Cancel/);
  },
);

test.each(["SUCCEEDED", "PARTIALLY_REFUNDED"] as const)(
  "money of a %s payment goes back by Refund",
  (status) => {
    expect(whatNext(status)).toMatch(/Refund/);
    expect(whatNext(status)).not.toMatch(/Cancel/);
  },
);

test("a payment that waits for Capture is captured or cancelled, never refunded", () => {
  expect(whatNext("REQUIRES_CAPTURE")).toMatch(/Capture.*Cancel/);
});
