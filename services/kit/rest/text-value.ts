import {
  type DescEnum,
  type DescField,
  fromJson,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { isWholeText } from "../json/integer.ts";
import { refuseField } from "../refusal.ts";

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$|^-?Infinity$|^NaN$/;

/** Messages whose JSON is one string. */
const TEXT_MESSAGES: ReadonlySet<string> = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
]);

/** Wrapper messages, whose JSON is that of what they wrap. */
const WRAPPED: ReadonlyMap<string, ScalarType> = new Map([
  ["google.protobuf.DoubleValue", ScalarType.DOUBLE],
  ["google.protobuf.FloatValue", ScalarType.FLOAT],
  ["google.protobuf.Int64Value", ScalarType.INT64],
  ["google.protobuf.UInt64Value", ScalarType.UINT64],
  ["google.protobuf.Int32Value", ScalarType.INT32],
  ["google.protobuf.UInt32Value", ScalarType.UINT32],
  ["google.protobuf.BoolValue", ScalarType.BOOL],
  ["google.protobuf.StringValue", ScalarType.STRING],
  ["google.protobuf.BytesValue", ScalarType.BYTES],
]);

/** Whether one text can stand for the field, or for one element of it when it is repeated. */
export function takesText(field: DescField): boolean {
  switch (field.fieldKind) {
    case "scalar":
    case "enum":
      return true;
    case "message":
      return TEXT_MESSAGES.has(field.message.typeName) || WRAPPED.has(field.message.typeName);
    case "list":
      return field.listKind !== "message";
    case "map":
      return false;
  }
}

/** Proto3 JSON of a text from a path or a query, for a field that `takesText`. Refuses, by `name`, what does not fit. */
export function textValue(field: DescField, name: string, text: string): JsonValue {
  const value = spelled(field, name, text);
  try {
    // Read alone, so that the refusal names the whole path of the parameter and not only its last field.
    fromJson(field.parent, { [field.jsonName]: field.fieldKind === "list" ? [value] : value });
  } catch {
    throw refuseField(name, `${JSON.stringify(text.slice(0, 64))} is no value of it`);
  }
  return value;
}

/** What has another spelling in a URL than in JSON. */
function spelled(field: DescField, name: string, text: string): JsonValue {
  const type = field.enum ?? field.scalar ?? WRAPPED.get(field.message?.typeName ?? "");
  if (type === undefined) return text;
  if (typeof type === "object") return enumValue(type, name, text);
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return text;
    case ScalarType.BOOL:
      if (text === "true" || text === "false") return text === "true";
      throw refuseField(name, "must be true or false");
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      if (NUMBER.test(text)) return text;
      throw refuseField(name, "must be a number");
    default:
      if (isWholeText(text)) return text;
      throw refuseField(name, "must be a whole number");
  }
}

function enumValue(type: DescEnum, name: string, text: string): JsonValue {
  if (isWholeText(text)) return Number(text);
  if (type.values.some((value) => value.name === text)) return text;
  throw refuseField(name, `must be one of ${type.values.map((value) => value.name).join(", ")}`);
}
