import {
  type DescField,
  type DescMessage,
  hasOption,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { plain_number } from "#gen/common/v1/rest_pb.ts";
import { refuseField } from "../refusal.ts";
import { isWholeText, wholeNumber } from "./integer.ts";
import { type WrittenJson, WrittenNumber } from "./parse.ts";

const WHOLE_NUMBERS: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT32,
  ScalarType.SINT32,
  ScalarType.UINT32,
  ScalarType.FIXED32,
  ScalarType.SFIXED32,
  ScalarType.INT64,
  ScalarType.SINT64,
  ScalarType.UINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/**
 * JSON of a message for protobuf's own reader, in which every whole number is the text of exactly what was written.
 * Refuses, with the field's path, what is no whole number by protobuf's JSON where one belongs, for example `"0x10"`,
 * `" 1 "` or `1.5`, and a field under both of its names.
 */
export function exactJson(desc: DescMessage, json: WrittenJson, path = ""): JsonValue {
  if (!isWrittenObject(json)) return plain(json);
  const seen = new Set<DescField>();
  const exact: JsonObject = {};
  for (const [name, value] of Object.entries(json)) {
    const field = desc.fields.find((each) => each.jsonName === name || each.name === name);
    if (field !== undefined) {
      if (seen.has(field))
        throw refuseField(`${path}${field.name}`, "is written under both of its names");
      seen.add(field);
    }
    define(exact, name, field ? fieldJson(field, value, `${path}${field.name}`) : plain(value));
  }
  return exact;
}

function fieldJson(field: DescField, value: WrittenJson, path: string): JsonValue {
  if (field.fieldKind === "list" && Array.isArray(value))
    return value.map((item, at) => valueJson(field, item, `${path}[${at}]`));
  if (field.fieldKind === "map" && isWrittenObject(value)) {
    const exact: JsonObject = {};
    for (const [name, item] of Object.entries(value))
      define(exact, name, valueJson(field, item, `${path}.${name}`));
    return exact;
  }
  return valueJson(field, value, path);
}

function valueJson(field: DescField, value: WrittenJson, path: string): JsonValue {
  const { message } = field;
  if (isNumberOrText(value) && wantsWhole(field)) return wholeText(value, path);
  // Messages of protobuf itself have a JSON of their own, for example a timestamp's text.
  if (message && !message.typeName.startsWith("google.protobuf.") && isWrittenObject(value))
    return exactJson(message, value, `${path}.`);
  return plain(value);
}

function wantsWhole(field: DescField): boolean {
  return field.message
    ? hasOption(field, plain_number)
    : WHOLE_NUMBERS.has(field.scalar ?? ScalarType.STRING);
}

function wholeText(value: string | number | WrittenNumber, path: string): string {
  if (typeof value === "string") {
    if (isWholeText(value)) return value;
    throw refuseField(path, `${JSON.stringify(value.slice(0, 64))} is no whole number`);
  }
  const source = typeof value === "number" ? String(value) : value.source;
  const whole = wholeNumber(source);
  if (whole === undefined) throw refuseField(path, `${source.slice(0, 64)} is no whole number`);
  return whole;
}

/** The value without written numbers: what is no integer field takes the nearest double. */
function plain(json: WrittenJson): JsonValue {
  if (json instanceof WrittenNumber) return json.value;
  if (Array.isArray(json)) return json.map(plain);
  if (!isWrittenObject(json)) return json as JsonValue;
  const object: JsonObject = {};
  for (const [name, value] of Object.entries(json)) define(object, name, plain(value));
  return object;
}

/** Assigning `__proto__` would set no property. */
function define(object: JsonObject, name: string, value: JsonValue): void {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function isNumberOrText(value: WrittenJson): value is string | number | WrittenNumber {
  return typeof value === "string" || typeof value === "number" || value instanceof WrittenNumber;
}

function isWrittenObject(value: WrittenJson): value is { readonly [name: string]: WrittenJson } {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof WrittenNumber)
  );
}
