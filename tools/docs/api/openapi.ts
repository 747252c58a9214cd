import type { DescEnum, DescField, DescFile, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { stringify } from "yaml";
import type { ReasonTable } from "#kit/pure/reasons.ts";
import { reasonsOf, rolesOf } from "./answers.ts";
import { type Binding, bindingsOf, fieldAt, fillTemplate, queryFields } from "./bindings.ts";
import { exampleOf } from "./example.ts";
import { commentOf, typesFrom } from "./image.ts";
import {
  ERROR_SCHEMA,
  fieldSchema,
  type Schema,
  STATUS_SCHEMA,
  schemasOf,
} from "./openapi-schemas.ts";

/** A document of OpenAPI 3.1, as plain data. */
export interface OpenApi {
  readonly openapi: "3.1.0";
  readonly info: Schema;
  readonly servers: readonly Schema[];
  readonly security: readonly Schema[];
  readonly tags: readonly Schema[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
  readonly components: { readonly schemas: Schema } & Schema;
}

/** The HTTP face of the contract: every binding of google.api.http, in the JSON that protobuf defines. */
export function openApi(
  files: readonly DescFile[],
  tables: ReadonlyMap<string, ReasonTable>,
): OpenApi {
  const services = files.flatMap((file) => file.services);
  const bindings = services.flatMap((service) => service.methods.flatMap(bindingsOf));
  const paths: Record<string, Record<string, Schema>> = {};
  for (const binding of bindings) {
    const url = fillTemplate(binding.template, (name) => `{${name}}`);
    paths[url] = { ...paths[url], [binding.verb]: operation(binding, tables) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Settle",
      version: "v1",
      description:
        "The HTTP face of Settle, written by `npm run docs` from the contracts in proto/. Amounts are decimal strings of minor units; enums are names; a refusal is a google.rpc.Status whose ErrorInfo.reason is stable.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:8080", description: "the edge of a development start" }],
    security: [{ bearer: [] }, {}],
    tags: services.map((service) => ({ name: service.name, description: commentOf(service) })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key or a JSON web token." },
      },
      responses: { Refusal: refusal() },
      schemas: { Status: STATUS_SCHEMA, Error: ERROR_SCHEMA, ...schemasOf(usedTypes(bindings)) },
    },
  };
}

/** The document as it is written to docs/api/openapi.yaml. */
export function openApiPage(document: OpenApi): string {
  // No anchors: not every reader of OpenAPI knows them.
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 120 });
}

function usedTypes(bindings: readonly Binding[]): ReadonlySet<DescMessage | DescEnum> {
  const seen = new Set<DescMessage | DescEnum>();
  for (const { method } of bindings) {
    typesFrom(method.input, seen);
    typesFrom(method.output, seen);
  }
  return seen;
}

function operation(binding: Binding, tables: ReadonlyMap<string, ReasonTable>): Schema {
  const { method } = binding;
  const reasons = reasonsOf(method, tables);
  const routes = bindingsOf(method);
  const number = routes.findIndex(({ template }) => template === binding.template);
  const refused = reasons.length > 0 ? ` Refused with ${reasons.join(", ")}.` : "";
  return {
    operationId: `${method.parent.name}_${method.name}${number > 0 ? `_${number + 1}` : ""}`,
    tags: [method.parent.name],
    summary: commentOf(method).split(/(?<=\.) /)[0] ?? "",
    description: `${commentOf(method)}${refused}`,
    "x-rpc": `${method.parent.typeName}/${method.name}`,
    "x-roles": rolesOf(method),
    parameters: [...pathParameters(binding), ...queryParameters(binding)],
    ...bodyOf(binding),
    responses: {
      "200": { description: commentOf(method.output), content: answerOf(binding) },
      default: { $ref: "#/components/responses/Refusal" },
    },
  };
}

function pathParameters({ method, pathFields }: Binding): Schema[] {
  return pathFields.map((name) => {
    const field = fieldAt(method.input, name);
    if (!field) throw new Error(`${method.name}: the path names ${name}, which is no field`);
    return {
      name,
      in: "path",
      required: true,
      description: commentOf(field),
      schema: fieldSchema(field),
    };
  });
}

/** Fields of messages in the query go by their path, such as `create_time` or `amount.minor_units`. */
function queryParameters(binding: Binding): Schema[] {
  return queryFields(binding).flatMap((field) => queryParameter(field, field.name));
}

function queryParameter(field: DescField, name: string, depth = 0): Schema[] {
  const isOpen = field.fieldKind === "message" && !field.message.typeName.startsWith("google.");
  if (isOpen && depth < 3) {
    return field.message.fields.flatMap((inner) =>
      queryParameter(inner, `${name}.${inner.name}`, depth + 1),
    );
  }
  // A map or a list of messages has no form in a query.
  if (field.fieldKind === "map" || (field.fieldKind === "list" && field.message)) return [];
  return [{ name, in: "query", description: commentOf(field), schema: fieldSchema(field) }];
}

function bodyOf({ method, body, pathFields }: Binding): Schema {
  if (body === "") return {};
  const field = body === "*" ? undefined : fieldAt(method.input, body);
  const schema = field ? fieldSchema(field) : bodyWithout(method, pathFields);
  const example = exampleOf(method.input);
  const shown = field
    ? example[field.jsonName]
    : Object.fromEntries(
        Object.entries(example).filter(([name]) => !jsonNames(method, pathFields).has(name)),
      );
  return {
    requestBody: {
      required: true,
      content: { "application/json": { schema, ...(shown ? { example: shown } : {}) } },
    },
  };
}

/** A body may leave out what the path already says, so nothing of it is required there. */
function bodyWithout(method: DescMethod, pathFields: readonly string[]): Schema {
  const reference = { $ref: `#/components/schemas/${method.input.typeName}` };
  return pathFields.length === 0
    ? reference
    : { ...reference, description: `Without ${pathFields.join(", ")}, which the path says.` };
}

function jsonNames(method: DescMethod, names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => fieldAt(method.input, name)?.jsonName ?? name));
}

function answerOf({ method, responseBody }: Binding): Schema {
  const field = responseBody === "" ? undefined : fieldAt(method.output, responseBody);
  const schema = field
    ? fieldSchema(field)
    : { $ref: `#/components/schemas/${method.output.typeName}` };
  const isStream = method.methodKind === "server_streaming";
  return isStream
    ? { "application/x-ndjson": { schema: { ...schema, description: "One message a line." } } }
    : { "application/json": { schema } };
}

function refusal(): Schema {
  return {
    description: "Refused; see docs/errors.md for the reasons.",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Status" } } },
  };
}
