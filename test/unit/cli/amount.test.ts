import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatMoney } from "#kit/pure/money.ts";
import { readAmount, requireAmount } from "#tools/cli/amount.ts";

describe("amounts of a command line", () => {
  test.each([
    [["12.50", "USD"], "USD", 1250n],
    [["12.50USD"], "USD", 1250n],
    [["12.5", "usd"], "USD", 1250n],
    [["12", "USD"], "USD", 1200n],
    [["1500", "JPY"], "JPY", 1500n],
    [["0.001", "KWD"], "KWD", 1n],
    [["92233720368547758.07", "USD"], "USD", 2n ** 63n - 1n],
  ])("%j is exact", (amount, currencyCode, minorUnits) => {
    expect(readAmount({ amount })).toEqual({ currencyCode, minorUnits });
  });

  test("minor units are taken as they are", () => {
    expect(readAmount({ minor: "1250", currency: "usd" })).toEqual({
      currencyCode: "USD",
      minorUnits: 1250n,
    });
  });

  test("an amount and its currency may stand apart", () => {
    expect(readAmount({ amount: ["1.10"], currency: "EUR" })?.minorUnits).toBe(110n);
  });

  test("what is printed can be typed in again, whatever the currency", () => {
    const currency = fc.constantFrom("USD", "JPY", "KWD", "CLF", "XTS");
    fc.assert(
      fc.property(currency, fc.bigInt(0n, 2n ** 63n - 1n), (currencyCode, minorUnits) => {
        const money = { currencyCode, minorUnits };
        expect(readAmount({ amount: formatMoney(money).split(" ") })).toEqual(money);
      }),
    );
  });

  test.each([
    ["more decimals than the currency has", { amount: ["1.234", "USD"] }],
    ["decimals of a currency without any", { amount: ["1.5", "JPY"] }],
    ["a negative amount", { amount: ["-1", "USD"] }],
    ["an exponent", { amount: ["1e3", "USD"] }],
    ["a comma", { amount: ["1,50", "USD"] }],
    ["no currency", { amount: ["1.50"] }],
    ["an unknown currency", { amount: ["1.50", "USX"] }],
    ["two currencies", { amount: ["1.50", "USD"], currency: "EUR" }],
    ["two amounts", { amount: ["1", "USD"], minor: "100", currency: "USD" }],
    ["minor units with a point", { minor: "1.5", currency: "USD" }],
    ["minor units without a currency", { minor: "150" }],
    ["a currency alone", { currency: "USD" }],
  ])("%s is refused instead of guessed", (_, options) => {
    expect(() => readAmount(options)).toThrow();
  });

  test.each([
    ["--minor", { minor: "9223372036854775808", currency: "USD" }],
    ["--amount", { amount: ["92233720368547758.08", "USD"] }],
  ])("what is over int64 is refused by the name of its option: %s", (option, options) => {
    expect(() => readAmount(options)).toThrow(`${option}: 9223372036854775808 minor units`);
  });

  test("no amount is no amount, unless one is required", () => {
    expect(readAmount({})).toBeUndefined();
    expect(() => requireAmount({})).toThrow("missing");
  });
});
