import { type Refusal, refuseField } from "../refusal.ts";
import type { Condition, FieldType, FieldValue, ListSpec, Operator } from "./spec.ts";

/** Comparisons in one filter; each may cost the database an index. */
export const FILTER_TERMS_MAX = 20;
/** Characters of a filter, as its proto says. */
export const FILTER_LENGTH_MAX = 2_048;

/** A field, an operator, a word or a quoted text, then AND or the end. */
const TERM =
  /\s*([A-Za-z_][\w.]*)\s*(!=|<=|>=|=|<|>)\s*(?:"((?:[^"\\]|\\.)*)"|([\w.:+-]+))\s*(?:(AND)(?=\s)|$)/y;
const EQUALITY: ReadonlySet<string> = new Set(["=", "!="]);
const INT64_MAX = 2n ** 63n - 1n;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads a filter: comparisons joined by AND, a part of AIP-160. Fails with INVALID_FIELD on `filter`, which says what
 * is wrong and which fields the list knows.
 */
export function parseFilter(text: string, spec: ListSpec): readonly Condition[] {
  if (text.trim() === "") return [];
  if ([...text].length > FILTER_LENGTH_MAX)
    throw refuse(spec, `is over ${FILTER_LENGTH_MAX} characters`);
  const conditions: Condition[] = [];
  const term = new RegExp(TERM);
  for (let more = true; more; ) {
    const at = term.lastIndex;
    const found = term.exec(text);
    if (found === null) throw refuse(spec, `cannot be read from character ${at + 1} on`);
    const [, field = "", operator = "", quoted, bare, and] = found;
    conditions.push(
      condition(spec, field, operator, quoted?.replace(/\\(.)/g, "$1") ?? bare ?? ""),
    );
    if (conditions.length > FILTER_TERMS_MAX) {
      throw refuse(spec, `has more than ${FILTER_TERMS_MAX} comparisons`);
    }
    more = and !== undefined;
  }
  return conditions;
}

function condition(spec: ListSpec, field: string, operator: string, literal: string): Condition {
  const type = Object.hasOwn(spec.fields, field) ? spec.fields[field] : undefined;
  if (type === undefined) throw refuse(spec, `does not know ${field.slice(0, 64)}`);
  if (!isOrdered(type) && !EQUALITY.has(operator))
    throw refuse(spec, `compares ${field} only by = and !=`);
  const value = literalOf(type, literal);
  if (value === undefined)
    throw refuse(spec, `cannot compare ${field} with ${literal.slice(0, 64)}`);
  return { field, operator: toOperator(operator), value };
}

function isOrdered(type: FieldType): boolean {
  return type !== "boolean" && typeof type !== "object";
}

function literalOf(type: FieldType, literal: string): FieldValue | undefined {
  if (typeof type === "object") {
    const bare = literal.startsWith(type.prefix) ? literal.slice(type.prefix.length) : literal;
    return type.values.includes(bare) ? bare : undefined;
  }
  switch (type) {
    case "string":
      return literal;
    case "boolean":
      return literal === "true" || literal === "false" ? literal === "true" : undefined;
    case "int64":
      return int64(literal);
    case "timestamp": {
      const date = TIMESTAMP.test(literal) ? new Date(literal) : undefined;
      return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
    }
  }
}

function int64(literal: string): bigint | undefined {
  if (!/^-?\d{1,19}$/.test(literal)) return undefined;
  const value = BigInt(literal);
  return value > INT64_MAX || value < -INT64_MAX - 1n ? undefined : value;
}

function toOperator(text: string): Operator {
  switch (text) {
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return text;
    default:
      return "=";
  }
}

function refuse(spec: ListSpec, what: string): Refusal {
  const fields = Object.keys(spec.fields).join(", ");
  return refuseField(
    "filter",
    `${what}; it is FIELD OPERATOR VALUE, joined by AND, with the fields ${fields}`,
  );
}
