import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { commentOf } from "./image.ts";
import { isRequired, messageRuleWords, rulesOf, typeRules } from "./rules.ts";

/** A piece of JSON Schema or OpenAPI, as plain data. */
export type Schema = Readonly<Record<string, unknown>>;

/** A refusal as JSON: a google.rpc.Status with the status of HTTP, wrapped as AIP-193 has it, and our details. */
export const STATUS_SCHEMA: Schema = {
  type: "object",
  required: ["error"],
  properties: { error: { $ref: "#/components/schemas/Error" } },
};

/** What STATUS_SCHEMA wraps. */
export const ERROR_SCHEMA: Schema = {
  type: "object",
  description: "Why a call was refused.",
  required: ["code", "message", "status"],
  properties: {
    code: { type: "integer", description: "The status of HTTP, such as 404." },
    message: { type: "string", description: "What happened and what to do next, for a person." },
    status: { type: "string", description: "The status of gRPC, such as NOT_FOUND." },
    details: {
      type: "array",
      items: {
        type: "object",
        required: ["@type"],
        properties: {
          "@type": {
            type: "string",
            description: "Such as type.googleapis.com/google.rpc.ErrorInfo.",
          },
          reason: { type: "string", description: "ErrorInfo: the stable reason; match on it." },
          domain: { type: "string", description: "ErrorInfo: settle." },
          metadata: { type: "object", additionalProperties: { type: "string" } },
          fieldViolations: {
            type: "array",
            description: "BadRequest: the fields that are not valid.",
            items: {
              type: "object",
              properties: {
                field: { type: "string" },
                description: { type: "string" },
                reason: { type: "string" },
              },
            },
          },
          retryDelay: {
            type: "string",
            description: "RetryInfo: when to come back, such as 0.250s.",
          },
        },
      },
    },
  },
};

/** The schemas of our messages and enums, by full name; those of google.protobuf stand inline. */
export function schemasOf(types: ReadonlySet<DescMessage | DescEnum>): Schema {
  const ours = [...types].filter(({ typeName }) => !typeName.startsWith("google."));
  return Object.fromEntries(
    ours
      .sort((a, b) => (a.typeName < b.typeName ? -1 : 1))
      .map((type) => [
        type.typeName,
        type.kind === "enum" ? enumSchema(type) : messageSchema(type),
      ]),
  );
}

function enumSchema(desc: DescEnum): Schema {
  return {
    type: "string",
    description: commentOf(desc),
    enum: desc.values.map(({ name }) => name),
  };
}

function messageSchema(message: DescMessage): Schema {
  const rules = messageRuleWords(message);
  const required = message.fields.filter((field) => rulesOf(field)?.required);
  const groups = message.oneofs.filter(isRequired);
  return {
    type: "object",
    description: [commentOf(message), ...rules.map((rule) => `Rule: ${rule}.`)].join(" ").trim(),
    properties: Object.fromEntries(
      message.fields.map((field) => [field.jsonName, describedField(field)]),
    ),
    ...(required.length > 0 ? { required: required.map(({ jsonName }) => jsonName) } : {}),
    ...(groups.length === 1
      ? { oneOf: groups[0]?.fields.map(({ jsonName }) => ({ required: [jsonName] })) }
      : {}),
  };
}

function describedField(field: DescField): Schema {
  const words = rulesOf(field)?.cel.map(({ message }) => `Rule: ${message}.`) ?? [];
  return { ...fieldSchema(field), description: [commentOf(field), ...words].join(" ").trim() };
}

/** A field's value as JSON, with those of its rules that JSON Schema can say. */
export function fieldSchema(field: DescField): Schema {
  const limits = limitsOf(field);
  switch (field.fieldKind) {
    case "scalar":
      return { ...scalarSchema(field.scalar), ...limits };
    case "enum":
      return reference(field.enum);
    case "message":
      return messageReference(field.message);
    case "list":
      return { type: "array", items: elementSchema(field), ...limits };
    case "map":
      return { type: "object", additionalProperties: elementSchema(field), ...limits };
  }
}

function elementSchema(field: DescField & { fieldKind: "list" | "map" }): Schema {
  if (field.message) return messageReference(field.message);
  if (field.enum) return reference(field.enum);
  return scalarSchema(field.scalar ?? ScalarType.STRING);
}

function reference(type: DescMessage | DescEnum): Schema {
  return { $ref: `#/components/schemas/${type.typeName}` };
}

const WELL_KNOWN: Readonly<Record<string, Schema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
  "google.protobuf.FieldMask": { type: "string" },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Empty": { type: "object" },
};

function messageReference(message: DescMessage): Schema {
  if (!message.typeName.startsWith("google.")) return reference(message);
  const known = WELL_KNOWN[message.typeName];
  if (!known) throw new Error(`${message.typeName} has no JSON form here`);
  return known;
}

function scalarSchema(type: ScalarType): Schema {
  switch (type) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return { type: "number" };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { type: "string", format: "int64", pattern: "^-?[0-9]{1,19}$" };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: "string", format: "uint64", pattern: "^[0-9]{1,20}$" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", format: "uint32", minimum: 0 };
    default:
      return { type: "integer", format: "int32" };
  }
}

const LIMITS: Readonly<Record<string, string>> = {
  min_len: "minLength",
  max_len: "maxLength",
  min_items: "minItems",
  max_items: "maxItems",
  max_pairs: "maxProperties",
  gte: "minimum",
  lte: "maximum",
};

function limitsOf(field: DescField): Schema {
  const rules = rulesOf(field);
  if (!rules) return {};
  const isInt64 = scalarSchema(field.scalar ?? ScalarType.STRING)["format"] === "int64";
  return Object.fromEntries(
    typeRules(rules).flatMap(({ name, value }): [string, string | number][] => {
      if (name === "pattern") return [["pattern", value]];
      const limit = LIMITS[name];
      // A 64-bit number is a string in JSON, and a string has no minimum.
      return limit && !(isInt64 && /imum$/.test(limit)) ? [[limit, Number(value)]] : [];
    }),
  );
}
