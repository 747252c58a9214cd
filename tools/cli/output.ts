import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Money } from "#gen/common/v1/money_pb.ts";
import { formatMoney } from "#kit/pure/money.ts";
import type { Invocation } from "./context.ts";
import { type Column, renderFields, renderTable } from "./table.ts";

/** Writes one answer: `lines` for people, or the message as one JSON document (proto3 JSON, int64 as strings). */
export function printOne<S extends DescMessage>(
  invocation: Invocation,
  schema: S,
  message: MessageShape<S>,
  lines: readonly string[],
): void {
  if (invocation.output === "json") {
    printLines(invocation, [jsonText(toJson(schema, message, { alwaysEmitImplicit: true }), 2)]);
  } else {
    printLines(invocation, lines);
  }
}

/**
 * A value as JSON that a terminal cannot be driven by: what JSON leaves as it is and a screen obeys (DEL, the C1 controls,
 * marks of writing direction) is escaped.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\p{Cf}\u2028\u2029]/gu,
    (character) =>
      [...Array(character.length).keys()]
        .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}

/** Writes one message of a list or a stream as one line of JSON. */
export function printJsonLine<S extends DescMessage>(
  invocation: Invocation,
  schema: S,
  message: MessageShape<S>,
): void {
  printLines(invocation, [jsonText(toJson(schema, message, { alwaysEmitImplicit: true }))]);
}

/** Writes a list: a table for people, or JSON lines. */
export function printMany<S extends DescMessage>(
  invocation: Invocation,
  schema: S,
  rows: readonly MessageShape<S>[],
  columns: readonly Column<MessageShape<S>>[],
): void {
  if (invocation.output === "json") {
    for (const row of rows) printJsonLine(invocation, schema, row);
  } else if (rows.length === 0) {
    invocation.io.err("nothing found\n");
  } else {
    printLines(invocation, renderTable(columns, rows));
  }
}

export function printLines(invocation: Pick<Invocation, "io">, lines: readonly string[]): void {
  invocation.io.out(lines.map((line) => `${line}\n`).join(""));
}

/** `name  value` lines of one object. */
export const fields = renderFields;

/** `12.50 USD`, or empty when the amount is absent. */
export function money(amount: Money | undefined): string {
  return amount === undefined ? "" : formatMoney(amount);
}

/** `SUCCEEDED` for `PaymentStatus.SUCCEEDED`; the number for a value of a newer server. */
export function enumText(values: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(values).find(([, known]) => known === value)?.[0] ?? String(value);
}

/** An enum as choices on the command line: `late-callback` for `LATE_CALLBACK`, without UNSPECIFIED. */
export function enumChoices<V extends number>(
  values: Readonly<Record<string, V>>,
): Readonly<Record<string, V>> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== 0)
      .map(([name, value]) => [name.toLowerCase().replaceAll("_", "-"), value]),
  );
}

/** UTC, to the millisecond; empty when absent. */
export function time(timestamp: Timestamp | undefined): string {
  return timestamp === undefined ? "" : timestampDate(timestamp).toISOString();
}

const STYLES = { good: 32, bad: 31, warn: 33, dim: 2 } as const;

/** Colours a text on a terminal that wants it (NO_COLOR is honoured). */
export function style(invocation: Invocation, name: keyof typeof STYLES, text: string): string {
  return invocation.colour ? `\u001b[${STYLES[name]}m${text}\u001b[0m` : text;
}
