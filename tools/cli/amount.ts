import { currencyExponent, isCurrency } from "#kit/pure/currency.ts";
import type { Money } from "#kit/pure/money.ts";
import { UsageError } from "./errors.ts";

/** The three ways to name an amount on the command line. */
export interface AmountOptions {
  /** Words after `--amount`: `12.50 USD`, `12.50USD`, or `12.50` together with `currency`. */
  readonly amount?: readonly string[];
  /** Minor units, together with `currency`. */
  readonly minor?: string;
  readonly currency?: string;
}

const EXAMPLE = "write --amount 12.50 USD, or --minor 1250 --currency USD";

/** Reads an amount exactly, in whole minor units; never through a float. Undefined when none is given. */
export function readAmount(options: AmountOptions): Money | undefined {
  const { amount, minor, currency } = options;
  if (amount === undefined && minor === undefined) {
    if (currency !== undefined) throw new UsageError("--currency without an amount", EXAMPLE);
    return undefined;
  }
  if (amount !== undefined && minor !== undefined) {
    throw new UsageError("give either --amount or --minor, not both", EXAMPLE);
  }
  if (minor !== undefined) return minorAmount(minor, currency);
  const match = /^(\d+)(?:\.(\d+))?([A-Za-z]{3})?$/.exec((amount ?? []).join(""));
  if (!match) throw new UsageError(`not an amount: ${(amount ?? []).join(" ")}`, EXAMPLE);
  const [, whole = "", fraction = "", named] = match;
  if (named !== undefined && currency !== undefined && named !== currency) {
    throw new UsageError(`two currencies: ${named} and ${currency}`, EXAMPLE);
  }
  return decimalAmount(whole, fraction, named ?? currency);
}

/** The same, but an amount must be there. */
export function requireAmount(options: AmountOptions): Money {
  const money = readAmount(options);
  if (money === undefined) throw new UsageError("an amount is missing", EXAMPLE);
  return money;
}

function minorAmount(minor: string, currency: string | undefined): Money {
  if (!/^\d+$/.test(minor)) throw new UsageError(`not a count of minor units: ${minor}`, EXAMPLE);
  if (currency === undefined) throw new UsageError("--minor needs --currency", EXAMPLE);
  return { currencyCode: knownCurrency(currency), minorUnits: inRange("--minor", BigInt(minor)) };
}

function decimalAmount(whole: string, fraction: string, currency: string | undefined): Money {
  if (currency === undefined) throw new UsageError("the amount has no currency", EXAMPLE);
  const currencyCode = knownCurrency(currency);
  const digits = currencyExponent(currencyCode);
  if (fraction.length > digits) {
    throw new UsageError(
      `${currencyCode} has ${digits} decimals, not ${fraction.length}`,
      "round the amount yourself: money is never rounded here",
    );
  }
  const minorUnits = BigInt(whole + fraction.padEnd(digits, "0"));
  return { currencyCode, minorUnits: inRange("--amount", minorUnits) };
}

/** What does not fit the wire's int64 must not be sent as something else. */
function inRange(option: string, minorUnits: bigint): bigint {
  if (BigInt.asIntN(64, minorUnits) === minorUnits) return minorUnits;
  const most = 2n ** 63n - 1n;
  throw new UsageError(
    `${option}: ${minorUnits} minor units do not fit int64`,
    `give at most ${most}`,
  );
}

function knownCurrency(text: string): string {
  const code = text.toUpperCase();
  if (!isCurrency(code))
    throw new UsageError(`not a currency: ${text}`, "use an ISO 4217 code, for example USD");
  return code;
}
