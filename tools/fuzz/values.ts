import { ScalarType } from "@bufbuild/protobuf";

const LONG = 5_000;

/** Strings that programs trip over; all of them are valid UTF-8 once encoded. */
export const ODD_STRINGS: readonly string[] = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "x".repeat(LONG),
  "é".repeat(65),
  "\u202eright to left\u202c",
  "مرحبا",
  "👩‍👩‍👧‍👦".repeat(12),
  "z̷̡̨͔͓̈́a̶l̵g̷o̵",
  "\ufeffbom",
  "line\nbreak\r\n",
  "../../etc/passwd",
  "$where",
  "a.$b",
  '{"$gt":""}',
  "'; drop table accounts; --",
  "<script>alert(1)</script>",
  "%00%0a",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "external:funding:USD",
  "provider:mock:USD",
  "suspense:USD",
  "-0",
  "NaN",
  "9223372036854775808",
  "\u{10ffff}",
  "\uffff",
];

/** Page tokens, filters and orders that were never given out. */
export const ODD_LIST_TEXTS: readonly string[] = [
  "AAAA",
  "W10",
  Buffer.from('["x","y"]').toString("base64url"),
  Buffer.from('["x",1]').toString("base64url"),
  Buffer.from("[[[[[[[[").toString("base64url"),
  "create_time >",
  "create_time > 5",
  'create_time > "yesterday"',
  'create_time > "9999-99-99T99:99:99Z"',
  "amount.minor_units > 99999999999999999999",
  "amount.minor_units = -0",
  'nobody = "knows"',
  'status = "SUCCEEDED" OR status = "FAILED"',
  "a".repeat(2_000),
  '"',
  "\\",
  "= = =",
  "AND AND",
  "create_time desc, create_time asc",
  "create_time sideways",
  "__proto__ = 1",
  "constructor desc",
];

/** Numbers at and over the edges of their type, as an encoder takes them. */
export function oddNumbers(scalar: ScalarType): readonly (number | bigint)[] {
  switch (scalar) {
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 10n ** 15n, 10n ** 15n + 1n, 2n ** 53n];
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return [0n, 1n, 2n ** 64n - 1n, 2n ** 63n];
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return [0, 1, 2 ** 32 - 1];
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    default:
      return [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 1_001];
  }
}

/** JSON texts to put where a value was: some are no JSON at all. */
export const ODD_JSON: readonly string[] = [
  "null",
  "true",
  "[]",
  "{}",
  "-0",
  "-0.0",
  "1e400",
  "-1e400",
  "1e-400",
  "1.5",
  "1e2",
  "NaN",
  "Infinity",
  '"NaN"',
  '"-Infinity"',
  '"9223372036854775807"',
  '"9223372036854775808"',
  '"-9223372036854775809"',
  "9007199254740993",
  "99",
  '"99"',
  '"ENUM_THAT_IS_NOT"',
  "-1",
  '"0x10"',
  '"1_000"',
  '" 1 "',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\u202e"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '"2026-02-30T00:00:00Z"',
  '"10000-01-01T00:00:00Z"',
  '"0001-01-01T00:00:00Z"',
  '"9999-12-31T23:59:59.999999999Z"',
  '"-315576000001s"',
  '"1.0000000001s"',
  '{"@type":"type.googleapis.com/google.protobuf.Any"}',
  "undefined",
  "'single'",
  "01",
  "+1",
  "[1,]",
];
