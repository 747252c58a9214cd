import { type DescMessage, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { type Access, access, Idempotency, Role } from "#gen/common/v1/access_pb.ts";
import { commonReasons, type ReasonTable } from "#kit/pure/reasons.ts";
import { commentOf, typesFrom } from "./image.ts";
import { messageRuleWords, ruleIds, rulesOf } from "./rules.ts";

/** The access rule of an RPC; every RPC of Settle has one. */
export function accessOf(method: DescMethod): Access {
  if (!hasOption(method, access)) throw new Error(`${method.name} says not who may call it`);
  return getOption(method, access);
}

/**
 * Reasons an RPC answers that follow from its contract: named in its comment, and those its request's fields bring
 * (rules, a key, an etag, a page). Reasons of every call, such as an outage, are not repeated for each RPC.
 */
export function reasonsOf(method: DescMethod, tables: ReadonlyMap<string, ReasonTable>): string[] {
  const known = knownReasons(method, tables);
  const named = [...commentOf(method).matchAll(/\b[A-Z][A-Z_0-9]{3,}\b/g)].map((match) => match[0]);
  const found = [...named, ...fromFields(method)].filter((reason) => known.has(reason));
  return [...new Set(found)].sort();
}

function knownReasons(
  method: DescMethod,
  tables: ReadonlyMap<string, ReasonTable>,
): ReadonlySet<string> {
  const service = method.parent.file.proto.package.split(".")[0] ?? "";
  return new Set([...Object.keys(commonReasons), ...Object.keys(tables.get(service) ?? {})]);
}

function fromFields(method: DescMethod): string[] {
  const messages = [...typesFrom(method.input)].filter((type) => type.kind === "message");
  const fields = new Set(method.input.fields.map(({ name }) => name));
  const isKeyed = accessOf(method).idempotency === Idempotency.REQUEST_ID;
  return [
    ...(messages.some(hasRules) ? ["INVALID_FIELD"] : []),
    ...messages.flatMap((message) => message.fields.flatMap(ruleIds)),
    ...(isKeyed ? ["REQUEST_ID_REUSED", "REQUEST_IN_PROGRESS"] : []),
    ...(fields.has("etag") ? ["ETAG_MISMATCH"] : []),
    ...(fields.has("page_token") ? ["INVALID_PAGE_TOKEN"] : []),
    ...(fields.has("filter") ? ["INVALID_FILTER"] : []),
    ...(fields.has("order_by") ? ["INVALID_ORDER_BY"] : []),
  ];
}

function hasRules(message: DescMessage): boolean {
  return messageRuleWords(message).length > 0 || message.fields.some((field) => rulesOf(field));
}

/** The names of the roles that may call, as a key or a token carries them. */
export function rolesOf(method: DescMethod): string[] {
  return accessOf(method).roles.map(
    (role) =>
      Object.entries(Role)
        .find(([, number]) => number === role)?.[0]
        .toLowerCase() ?? String(role),
  );
}

/** What makes a repeat of the call safe, as a sentence. */
export function repeatWords(method: DescMethod): string {
  switch (accessOf(method).idempotency) {
    case Idempotency.READ:
      return "changes nothing, may be repeated at will";
    case Idempotency.REQUEST_ID:
      return "`request_id` makes a repeat answer the same; made by the server when absent";
    case Idempotency.NAMED:
      return "the request names what it makes, so a repeat answers the same";
    case Idempotency.NATURAL:
      return "may be repeated at will: the effect is the same";
    default:
      throw new Error(`${method.name} says not what makes a repeat safe`);
  }
}
