import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FILTER_TERMS_MAX, parseFilter } from "#kit/list/filter.ts";
import { parseOrder } from "#kit/list/order.ts";
import type { ListSpec } from "#kit/list/spec.ts";
import { Refusal } from "#kit/refusal.ts";

const SPEC: ListSpec = {
  name: "things",
  fields: {
    thing_id: "string",
    "amount.minor_units": "int64",
    create_time: "timestamp",
    open: "boolean",
    state: { prefix: "STATE_", values: ["ON", "OFF"] },
  },
  orders: {
    create_time: { descending: true, position: ["time", "id"] },
    thing_id: { descending: false, position: ["id"] },
  },
};

describe("a filter", () => {
  test.each([
    ["", []],
    ["  ", []],
    ['thing_id = "a b"', [["thing_id", "=", "a b"]]],
    ["thing_id=a:b.c-d", [["thing_id", "=", "a:b.c-d"]]],
    ['thing_id = "say \\"AND\\" \\\\"', [["thing_id", "=", 'say "AND" \\']]],
    ["amount.minor_units >= -9223372036854775808", [["amount.minor_units", ">=", -(2n ** 63n)]]],
    [
      'state != STATE_ON AND open = true AND create_time < "2026-01-01T00:00:00+01:00"',
      [
        ["state", "!=", "ON"],
        ["open", "=", true],
        ["create_time", "<", new Date("2025-12-31T23:00:00Z")],
      ],
    ],
    ["create_time>2026-01-01T00:00:00Z", [["create_time", ">", new Date("2026-01-01T00:00:00Z")]]],
  ])("%j is read as its comparisons", (text, expected) => {
    const found = parseFilter(text, SPEC).map(({ field, operator, value }) => [
      field,
      operator,
      value,
    ]);
    expect(found).toEqual(expected);
  });

  test.each([
    ["nobody = 1", "does not know nobody"],
    ["__proto__ = 1", "does not know __proto__"],
    ["constructor = 1", "does not know constructor"],
    ["thing_id", "cannot be read"],
    ["thing_id = ", "cannot be read"],
    ['thing_id = "open', "cannot be read"],
    ["thing_id = a OR thing_id = b", "cannot be read"],
    ["thing_id = a AND", "cannot be read"],
    ["AND", "cannot be read"],
    ["amount.minor_units > 9223372036854775808", "cannot compare amount.minor_units"],
    ["amount.minor_units > 1.5", "cannot compare amount.minor_units"],
    ["create_time > yesterday", "cannot compare create_time"],
    ['create_time > "2026-13-01T00:00:00Z"', "cannot compare create_time"],
    ["state = BROKEN", "cannot compare state"],
    ["state > ON", "only by = and !="],
    ["open = 1", "cannot compare open"],
    [
      Array.from({ length: FILTER_TERMS_MAX + 1 }, () => "open = true").join(" AND "),
      "more than 20",
    ],
    ["x".repeat(3_000), "over 2048"],
  ])("%j is refused and the fields are named", (text, why) => {
    const refusal = refusalOf(() => parseFilter(text, SPEC));
    expect(refusal.fields).toEqual([
      { field: "filter", description: expect.stringContaining(why) },
    ]);
    expect(refusal.message).toContain("thing_id, amount.minor_units, create_time, open, state");
  });

  test("whatever it is, it is read or refused, and in a moment", () => {
    const pieces = fc.constantFrom(
      "thing_id",
      "=",
      "!=",
      '"',
      "\\",
      " ",
      "AND",
      "<",
      "1",
      ".",
      "é",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 200 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (filter) => {
        try {
          return Array.isArray(parseFilter(filter, SPEC));
        } catch (error) {
          return error instanceof Refusal;
        }
      }),
    );
  });
});

describe("an order", () => {
  test.each([
    ["", "create_time", true],
    ["create_time", "create_time", false],
    [" create_time  desc ", "create_time", true],
    ["thing_id asc", "thing_id", false],
  ])("%j is read", (text, field, descending) => {
    expect(parseOrder(text, SPEC)).toEqual({ field, descending });
  });

  test.each([
    "state",
    "create_time sideways",
    "create_time, thing_id",
    "__proto__",
    "toString desc",
  ])("%j is refused and the orders are named", (text) => {
    const { fields } = refusalOf(() => parseOrder(text, SPEC));
    expect(fields[0]?.field).toBe("order_by");
    expect(fields[0]?.description).toContain("create_time or thing_id");
  });
});

function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("not refused");
}
