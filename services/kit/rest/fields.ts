import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { refuseField } from "../refusal.ts";
import { takesText } from "./text-value.ts";

/** A field by its name in the contract or its JSON name. */
export function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name);
}

/**
 * The fields along a path such as `sub.subfield`, or undefined when a name is unknown or something other than a
 * single message stands in between.
 */
export function fieldsAlong(
  root: DescMessage,
  path: readonly string[],
): readonly DescField[] | undefined {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = root;
  for (const name of path) {
    const field: DescField | undefined = message && findField(message, name);
    if (field === undefined) return undefined;
    fields.push(field);
    const opens: boolean = field.fieldKind === "message" && !takesText(field);
    message = opens ? field.message : undefined;
  }
  return fields;
}

/** The path in the words of the contract, for example `sub.subfield`. */
export function pathText(fields: readonly DescField[]): string {
  return fields.map((field) => field.name).join(".");
}

/** Whether JSON is an object, and neither null nor an array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Puts a value where the fields lead, whatever was there. Refuses when something on the way is no object. */
export function putAt(root: JsonObject, fields: readonly DescField[], value: JsonValue): void {
  const leaf = fields.at(-1);
  if (leaf === undefined) return;
  const owner = ownerAt(root, fields.slice(0, -1));
  delete owner[leaf.name];
  owner[leaf.jsonName] = value;
}

function ownerAt(root: JsonObject, fields: readonly DescField[]): JsonObject {
  let owner = root;
  for (const [depth, field] of fields.entries()) {
    const key = Object.hasOwn(owner, field.jsonName) ? field.jsonName : field.name;
    const inside = (Object.hasOwn(owner, key) ? owner[key] : undefined) ?? {};
    if (!isObject(inside)) {
      throw refuseField(pathText(fields.slice(0, depth + 1)), "must be a JSON object");
    }
    delete owner[key];
    owner[field.jsonName] = inside;
    owner = inside;
  }
  return owner;
}
