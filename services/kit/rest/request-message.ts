import {
  type DescMessage,
  fromJson,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { plain_number } from "#gen/common/v1/rest_pb.ts";
import { exactJson } from "../json/message.ts";
import { parseJson } from "../json/parse.ts";
import { Refusal, refuseField } from "../refusal.ts";
import type { Binding } from "./binding.ts";
import { findField, isObject, putAt } from "./fields.ts";
import { firstParameter, putQuery } from "./query.ts";
import { textValue } from "./text-value.ts";

const WHOLE = /^-?\d+$/;

/** What a request brings, besides its headers. */
export interface RequestParts {
  readonly variables: ReadonlyMap<string, string>;
  /** Without its `?`. */
  readonly query: string;
  /** The bytes of the body; empty where there is none. */
  readonly body: Uint8Array;
}

/**
 * The request message of a binding by the rules of google.api.http: path, then body, then query. What the path says
 * wins over the body. Refuses, with the field's name, whatever the contract does not know.
 */
export function requestMessage(binding: Binding, parts: RequestParts, registry: Registry): Message {
  const { input } = binding.method;
  const body = readBody(binding, parts.body);
  const json = startFrom(binding, body);
  if (!isObject(json)) return toMessage(input, json, registry);
  if (binding.body.kind === "all") {
    const extra = firstParameter(parts.query);
    if (extra !== undefined) throw refuseField(extra, "belongs into the body, as all fields here");
  } else {
    const taken = binding.pathFields.map(({ name }) => name);
    if (binding.body.kind === "field") taken.push(binding.body.field.name);
    putQuery(input, parts.query, taken, json);
  }
  expandPlainNumbers(input, json);
  for (const { name, fields } of binding.pathFields) {
    const leaf = fields.at(-1);
    const text = parts.variables.get(name);
    if (leaf !== undefined && text !== undefined) putAt(json, fields, textValue(leaf, name, text));
  }
  return toMessage(input, json, registry);
}

/** JSON of a body, undefined for an empty one. Whole numbers are text, so that no digit is lost. */
function readBody({ method, body }: Binding, bytes: Uint8Array): JsonValue | undefined {
  if (bytes.byteLength === 0) return undefined;
  const json = parseJson(bytes);
  if (body.kind !== "field") return exactJson(method.input, json);
  const { field } = body;
  return field.message
    ? exactJson(field.message, json, `${field.name}.`)
    : exactJson(method.input, json);
}

function startFrom(binding: Binding, body: JsonValue | undefined): JsonValue {
  switch (binding.body.kind) {
    case "none":
      if (body !== undefined && !(isObject(body) && Object.keys(body).length === 0)) {
        throw malformed("this method takes no body");
      }
      return {};
    case "all":
      return body === undefined ? {} : body;
    case "field":
      return body === undefined ? {} : { [binding.body.field.jsonName]: body };
  }
}

/** Moves a bare number into the integer field that the contract names for it. */
function expandPlainNumbers(input: DescMessage, json: JsonObject): void {
  for (const field of input.fields) {
    if (!hasOption(field, plain_number)) continue;
    const target = findField(input, getOption(field, plain_number));
    const key = [field.jsonName, field.name].find((name) => Object.hasOwn(json, name));
    const value = key === undefined ? undefined : json[key];
    if (target === undefined || key === undefined || value === undefined) continue;
    if (typeof value !== "number" && !(typeof value === "string" && WHOLE.test(value))) continue;
    if (!WHOLE.test(String(value))) throw refuseField(field.name, "must be whole minor units");
    delete json[key];
    json[target.jsonName] = value;
  }
}

function toMessage(desc: DescMessage, json: JsonValue, registry: Registry): Message {
  try {
    return fromJson(desc, json, { registry, ignoreUnknownFields: false });
  } catch (error) {
    throw unreadable(error);
  }
}

/** Says which field does not fit, where the parser knows it. */
function unreadable(error: unknown): Refusal {
  if (!(error instanceof Error)) return malformed("the body cannot be read", error);
  const unknown = /key "([^"]{1,200})" is unknown/.exec(error.message)?.[1];
  if (unknown !== undefined) return refuseField(unknown, "is no field of this request");
  const { cause } = error;
  const inner = isFieldError(error) ? error : isFieldError(cause) ? cause : undefined;
  if (inner === undefined) return malformed(error.message, error);
  return refuseField(inner.field().name, inner.message);
}

function malformed(message: string, cause?: unknown): Refusal {
  return new Refusal("MALFORMED_MESSAGE", { message, ...(cause === undefined ? {} : { cause }) });
}
