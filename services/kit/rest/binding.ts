import {
  type DescField,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { success_status } from "#gen/common/v1/rest_pb.ts";
import { http } from "#gen/google/api/annotations_pb.ts";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { fieldsAlong, findField, pathText } from "./fields.ts";
import { parseTemplate, type Template } from "./template.ts";
import { takesText } from "./text-value.ts";

/** An RPC that REST can carry: one request message. */
export type RestMethod = DescMethodUnary | DescMethodServerStreaming;

/** Where the fields of a request that are not in the path come from. */
export type BodyRule =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  | { readonly kind: "field"; readonly field: DescField };

/** A path variable, with the fields it leads to. */
export interface PathField {
  /** As the template spells it. */
  readonly name: string;
  readonly fields: readonly DescField[];
}

/** One HTTP method and path of one RPC. */
export interface Binding {
  readonly method: RestMethod;
  /** `GET`, `POST`, … or `*` for any. */
  readonly httpMethod: string;
  readonly template: Template;
  readonly pathFields: readonly PathField[];
  readonly body: BodyRule;
  /** The field of the response that is the body, or undefined for all of it. */
  readonly responseBody: DescField | undefined;
  /** HTTP status of a success. */
  readonly success: number;
}

/** All bindings of a service. Throws on an annotation that cannot be served: a bug of the contract. */
export function bindingsOf(service: DescService): Binding[] {
  return service.methods.flatMap((method) => {
    if (!hasOption(method, http)) return [];
    const rule = getOption(method, http);
    if (rule.additionalBindings.some((more) => more.additionalBindings.length > 0)) {
      throw wrong(method, "additional_bindings are nested");
    }
    return [rule, ...rule.additionalBindings].map((one) => bind(method, one));
  });
}

function bind(method: DescMethod, rule: HttpRule): Binding {
  if (!isRestMethod(method)) throw wrong(method, "REST carries one request message");
  const [httpMethod, path] = patternOf(method, rule);
  const template = parseTemplate(path);
  const success = getOption(method, success_status) || 200;
  if (success < 200 || success > 299)
    throw wrong(method, `success_status ${success} is no success`);
  return {
    method,
    httpMethod,
    template,
    pathFields: template.variables.map((variable) => pathField(method, variable.path)),
    body: bodyRule(method, rule.body),
    responseBody: rule.responseBody === "" ? undefined : responseField(method, rule.responseBody),
    success,
  };
}

function isRestMethod(method: DescMethod): method is RestMethod {
  return method.methodKind === "unary" || method.methodKind === "server_streaming";
}

function patternOf(method: DescMethod, rule: HttpRule): readonly [string, string] {
  const { pattern } = rule;
  if (pattern.case === undefined) throw wrong(method, "google.api.http names no path");
  if (pattern.case === "custom") return [pattern.value.kind, pattern.value.path];
  return [pattern.case.toUpperCase(), pattern.value];
}

function pathField(method: DescMethod, path: readonly string[]): PathField {
  const name = path.join(".");
  const fields = fieldsAlong(method.input, path);
  const leaf = fields?.at(-1);
  if (fields === undefined || leaf === undefined) {
    throw wrong(method, `the path names ${name}, which is no field of ${method.input.typeName}`);
  }
  if (leaf.fieldKind === "list" || !takesText(leaf)) {
    throw wrong(method, `${name} cannot stand in a path`);
  }
  return { name: pathText(fields), fields };
}

function bodyRule(method: DescMethod, body: string): BodyRule {
  if (body === "") return { kind: "none" };
  if (body === "*") return { kind: "all" };
  const field = findField(method.input, body);
  if (field === undefined) throw wrong(method, `body ${body} is no field`);
  return { kind: "field", field };
}

function responseField(method: DescMethod, name: string): DescField {
  const field = findField(method.output, name);
  if (field === undefined) throw wrong(method, `response_body ${name} is no field`);
  return field;
}

function wrong(method: DescMethod, why: string): Error {
  return new Error(`${method.parent.typeName}/${method.name}: ${why}`);
}
