import { toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EvaluateRequestSchema } from "#gen/fraud/v1/fraud_pb.ts";
import { wholeNumber } from "#kit/json/integer.ts";
import { exactBytes } from "#kit/json/request.ts";
import { Refusal } from "#kit/refusal.ts";
import { canonicalMessage } from "#test/support/golden.ts";

const exact = (json: string): string =>
  Buffer.from(exactBytes(EvaluateRequestSchema, Buffer.from(json))).toString();

function refusalOf(json: string | Buffer): string {
  try {
    exactBytes(EvaluateRequestSchema, Buffer.from(json));
    return "taken";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${error.reason} ${error.fields.map(({ field }) => field).join()}`.trim();
  }
}

const amountOf = (minorUnits: string) =>
  `{"amount":{"currencyCode":"USD","minorUnits":${minorUnits}}}`;

describe("a whole number", () => {
  test.each([
    ["1250", "1250"],
    ['"1250"', "1250"],
    ["1e3", "1000"],
    ["1.50e2", "150"],
    ["-0.0", "0"],
    ["9007199254740993", "9007199254740993"],
    ["9223372036854775807.000", "9223372036854775807"],
  ])("written as %s is taken to the last digit", (written, taken) => {
    expect(JSON.parse(exact(amountOf(written))).amount.minorUnits).toBe(taken);
  });

  test.each([
    '"0x10"',
    '"0b11"',
    '" 100 "',
    '"+5"',
    String.raw`"\n7"`,
    '""',
    '"1e3"',
    '"007"',
    "1.5",
    "999999999999999.9999",
    "1e99",
    "1e-1",
  ])("is not what is written as %s, and the field is named", (written) => {
    expect(refusalOf(amountOf(written))).toBe("INVALID_FIELD amount.minor_units");
  });

  test("is read the same from every spelling of a number that stands for it", () => {
    const digits = fc.bigInt(-(10n ** 18n), 10n ** 18n);
    fc.assert(
      fc.property(digits, fc.nat({ max: 6 }), (number, zeros) => {
        const scaled = (number * 10n ** BigInt(zeros)).toString();
        expect(wholeNumber(`${number}e${zeros}`)).toBe(scaled);
        expect(wholeNumber(`${scaled}.000`)).toBe(scaled);
        expect(wholeNumber(`${number}.5`)).toBeUndefined();
      }),
    );
  });
});

describe("an object", () => {
  test.each([
    ["names a field twice", '{"checkId":"a","checkId":"b"}', "INVALID_FIELD checkId"],
    [
      "names it twice by an escape",
      String.raw`{"checkId":"a","\u0063heckId":"b"}`,
      "INVALID_FIELD checkId",
    ],
    [
      "names it twice deep inside",
      '{"amount":{"minorUnits":"1","minorUnits":"2"}}',
      "INVALID_FIELD minorUnits",
    ],
    [
      "names it under both of its names",
      '{"checkId":"a","check_id":"b"}',
      "INVALID_FIELD check_id",
    ],
    ["begins with a byte order mark", '\ufeff{"checkId":"a"}', "MALFORMED_MESSAGE"],
    ["has a trailing comma", '{"checkId":"a",}', "MALFORMED_MESSAGE"],
  ])("that %s is refused", (_, json, refusal) => {
    expect(refusalOf(json)).toBe(refusal);
  });

  test("may hold the same name in different objects, and brackets in its strings", () => {
    const json = '{"checkId":"[{,\\"checkId\\":","amount":{"currencyCode":"checkId"}}';
    expect(JSON.parse(exact(json))).toEqual(JSON.parse(json));
  });

  test("of every field stays what it is", () => {
    const json = JSON.stringify(
      toJson(EvaluateRequestSchema, canonicalMessage(EvaluateRequestSchema) as never),
    );
    expect(JSON.parse(exact(json))).toEqual(JSON.parse(json));
  });
});
