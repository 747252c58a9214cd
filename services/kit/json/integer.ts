/** What JSON allows for a whole number that is written as a string: no sign but minus, no spaces, no other base. */
const WHOLE = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** More digits than any integer of the contract has. */
const DIGITS_MAX = 25;

/** Whether the text is a whole number as protobuf's JSON writes one in a string. */
export function isWholeText(text: string): boolean {
  return WHOLE.test(text);
}

/**
 * The whole number that a number of JSON stands for, digit by digit, or undefined when it is none: `1e3` and `1.0` are,
 * `999999999999999.9999` is not, although the nearest double is.
 */
export function wholeNumber(source: string): string | undefined {
  const match = NUMBER.exec(source);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+(?=\d)/, "");
  const shift = Number(exponent) - fraction.length;
  if (/^0*$/.test(digits)) return "0";
  if (shift >= 0)
    return digits.length + shift > DIGITS_MAX ? undefined : `${sign}${digits}${"0".repeat(shift)}`;
  const kept = digits.slice(0, shift);
  if (kept === "" || !/^0*$/.test(digits.slice(shift))) return undefined;
  return `${sign}${kept}`;
}
