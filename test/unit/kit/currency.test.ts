import { expect, test } from "vitest";
import { currencyExponent, isCurrency } from "#kit/pure/currency.ts";

test.each([
  ["XCG", 2],
  ["XAD", 2],
  ["USD", 2],
  ["JPY", 0],
  ["KWD", 3],
  ["CLF", 4],
  ["UYW", 4],
  ["MGA", 2],
  ["MRU", 2],
  ["XTS", 2],
  // Ended in 2025; accounts in it may be there.
  ["ANG", 2],
])("%s is a currency with %i decimals, as ISO 4217 has it", (code, digits) => {
  expect([isCurrency(code), currencyExponent(code)]).toEqual([true, digits]);
});

test.each(["", "usd", "USX", "XXX", "default", "__proto__", "constructor"])(
  "%j is none",
  (code) => {
    expect(isCurrency(code)).toBe(false);
    expect(() => currencyExponent(code)).toThrow("not a currency");
  },
);
