import {
  create,
  type DescField,
  type DescMessage,
  type JsonValue,
  type MessageShape,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { isObject } from "./fields.ts";

/** The JSON of a response, or of the one field of it that is the body: then also when it is empty. */
export function responseJson(
  desc: DescMessage,
  message: MessageShape<DescMessage>,
  body: DescField | undefined,
  registry: Registry,
): JsonValue {
  const json = toJson(desc, message, { registry });
  return body === undefined ? json : (fieldOf(json, body) ?? emptyValue(desc, body));
}

/** `[]`, `{}`, `""`, `0` and the like; null for a message that is not set. */
function emptyValue(desc: DescMessage, body: DescField): JsonValue {
  return fieldOf(toJson(desc, create(desc), { alwaysEmitImplicit: true }), body) ?? null;
}

function fieldOf(json: JsonValue, field: DescField): JsonValue | undefined {
  return isObject(json) ? json[field.jsonName] : undefined;
}
