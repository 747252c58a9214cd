import * as listed from "dinero.js/currencies";

/** Besides the list: the code the standard reserves for tests, and one that ended in 2025 and may still have accounts. */
const MORE: Readonly<Record<string, number>> = { XTS: 2, ANG: 2 };

const exponentOf = new Map([
  ...Object.entries(MORE),
  ...Object.values(listed).map(
    ({ code, base, exponent }) => [code, digitsOf(base, exponent)] as const,
  ),
]);

/** Two currencies count in fifths; ISO 4217 writes them with two decimals all the same. */
function digitsOf(base: unknown, exponent: number): number {
  return base === 10 ? exponent : 2;
}

/** Whether the code is one Settle keeps accounts in: active in ISO 4217, or XTS. */
export function isCurrency(code: string): boolean {
  return exponentOf.has(code);
}

/** Digits of the currency's minor unit: 2 for USD, 0 for JPY, 3 for KWD. Throws on another code. */
export function currencyExponent(code: string): number {
  const digits = exponentOf.get(code);
  if (digits === undefined) throw new Error(`not a currency: ${code}`);
  return digits;
}
