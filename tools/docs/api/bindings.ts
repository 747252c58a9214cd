import {
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { http } from "#gen/google/api/annotations_pb.ts";
import type { HttpRule } from "#gen/google/api/http_pb.ts";

/** One HTTP route of an RPC, as google.api.http declares it. */
export interface Binding {
  readonly method: DescMethod;
  /** In lower case: get, put, post, delete, patch, or a custom one. */
  readonly verb: string;
  /** The template as it stands in the contract. */
  readonly template: string;
  /** Field paths taken from the URL's path. */
  readonly pathFields: readonly string[];
  /** The request field that is the body; `*` is all that is not in the path; empty is none. */
  readonly body: string;
  /** The response field that is the whole answer; empty is the message itself. */
  readonly responseBody: string;
}

/** The routes of an RPC: its own first, then the additional ones. */
export function bindingsOf(method: DescMethod): Binding[] {
  if (!hasOption(method, http)) return [];
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings].map((one) => toBinding(method, one));
}

function toBinding(method: DescMethod, rule: HttpRule): Binding {
  const { pattern } = rule;
  if (pattern.case === undefined) throw new Error(`${method.name}: a binding without a path`);
  const [verb, template] =
    pattern.case === "custom"
      ? [pattern.value.kind.toLowerCase(), pattern.value.path]
      : [pattern.case, pattern.value];
  return {
    method,
    verb,
    template,
    pathFields: [...template.matchAll(/\{([\w.]+)(?:=[^}]*)?\}/g)].map((match) => match[1] ?? ""),
    body: rule.body,
    responseBody: rule.responseBody,
  };
}

/** The template with what stands for a variable replaced: `/v1/payments/{payment_id}:cancel`. */
export function fillTemplate(template: string, fill: (fieldPath: string) => string): string {
  return template.replaceAll(/\{([\w.]+)(?:=[^}]*)?\}/g, (_, name: string) => fill(name));
}

/** The field at a path such as `account.account_id`, undefined where there is none. */
export function fieldAt(message: DescMessage, fieldPath: string): DescField | undefined {
  const [first, ...rest] = fieldPath.split(".");
  const field = message.fields.find(({ name }) => name === first);
  if (rest.length === 0 || !field) return field;
  return field.message ? fieldAt(field.message, rest.join(".")) : undefined;
}

/** Fields that may stand in the query: all that the path and the body do not take. */
export function queryFields({ method, pathFields, body }: Binding): DescField[] {
  if (body === "*") return [];
  return method.input.fields.filter(({ name }) => name !== body && !pathFields.includes(name));
}
