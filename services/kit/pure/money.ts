import { currencyExponent, isCurrency } from "./currency.ts";

/** An amount in minor units. Structurally the same as `common.v1.Money` without its type name. */
export interface Money {
  /** ISO 4217. */
  readonly currencyCode: string;
  /** Count of minor units, for example cents. */
  readonly minorUnits: bigint;
}

/** An amount as workflow payloads carry it: JSON has no bigint. */
export interface MoneyText {
  readonly currencyCode: string;
  /** Decimal string of minor units. */
  readonly minorUnits: string;
}

/** Largest amount one request may name, in minor units. */
export const REQUEST_AMOUNT_MAX = 10n ** 15n;
/** Largest balance: the limit of a signed 64-bit integer. */
export const INT64_MAX = 2n ** 63n - 1n;

/** Writes an amount for a workflow payload. */
export function moneyText(money: Money): MoneyText {
  return { currencyCode: money.currencyCode, minorUnits: money.minorUnits.toString() };
}

/** Reads an amount from a workflow payload. */
export function parseMoneyText(text: MoneyText): Money {
  return { currencyCode: text.currencyCode, minorUnits: BigInt(text.minorUnits) };
}

/** Whether the sum fits a signed 64-bit integer. */
export function fitsInt64(value: bigint): boolean {
  return value <= INT64_MAX && value >= -INT64_MAX - 1n;
}

/** An amount for people: `12.50 USD`, `1250 JPY`. */
export function formatMoney(money: Money): string {
  const digits = isCurrency(money.currencyCode) ? currencyExponent(money.currencyCode) : 0;
  const sign = money.minorUnits < 0n ? "-" : "";
  const units = (sign ? -money.minorUnits : money.minorUnits).toString().padStart(digits + 1, "0");
  const whole = units.slice(0, units.length - digits);
  const fraction = digits ? `.${units.slice(units.length - digits)}` : "";
  return `${sign}${whole}${fraction} ${money.currencyCode}`;
}
