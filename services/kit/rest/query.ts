import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { refuseField } from "../refusal.ts";
import { fieldsAlong, pathText, putAt } from "./fields.ts";
import { takesText, textValue } from "./text-value.ts";

/** Deepest field path in a query. */
const DEPTH_MAX = 16;

/**
 * Puts the parameters of a query (without its `?`) into the JSON of a request. `taken` are fields that the path or
 * the body gives already. Refuses, by name, a parameter that is unknown, taken, given twice or of the wrong type.
 */
export function putQuery(
  input: DescMessage,
  query: string,
  taken: readonly string[],
  into: JsonObject,
): void {
  const lists = new Map<
    string,
    { readonly fields: readonly DescField[]; readonly values: JsonValue[] }
  >();
  const seen = new Set<string>();
  for (const [name, text] of pairsOf(query)) {
    const fields = parameter(input, name);
    const leaf = fields.at(-1);
    const path = pathText(fields);
    if (leaf === undefined || taken.some((other) => overlap(path, other))) {
      throw refuseField(name, "is given by the path or the body, not by a query parameter");
    }
    const value = textValue(leaf, name, text);
    if (leaf.fieldKind === "list") {
      const list = lists.get(path) ?? { fields, values: [] };
      list.values.push(value);
      lists.set(path, list);
    } else {
      if (seen.has(path)) throw refuseField(name, "is given more than once");
      seen.add(path);
      putAt(into, fields, value);
    }
  }
  for (const { fields, values } of lists.values()) putAt(into, fields, values);
}

/** The first parameter of a query, for a refusal; undefined when it has none. */
export function firstParameter(query: string): string | undefined {
  return pairsOf(query)[0]?.[0];
}

function parameter(input: DescMessage, name: string): readonly DescField[] {
  const path = name.split(".");
  const fields = path.length > DEPTH_MAX ? undefined : fieldsAlong(input, path);
  const leaf = fields?.at(-1);
  if (fields === undefined || leaf === undefined) {
    throw refuseField(name.slice(0, 200), "is no parameter of this request");
  }
  if (!takesText(leaf)) throw refuseField(name, "cannot be a query parameter");
  return fields;
}

function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}

function pairsOf(query: string): (readonly [string, string])[] {
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      return [decode(name), decode(value)] as const;
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw refuseField(text.slice(0, 200), "is not percent-encoded UTF-8");
  }
}
