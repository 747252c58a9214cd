import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { access, Idempotency, Lane, Role as RoleMessage } from "#gen/common/v1/access_pb.ts";
import { ALL_ROLES, type Role, type Scope } from "../pure/scope.ts";
import { Refusal } from "../refusal.ts";
import type { Caller } from "./authority.ts";

/** The rule of one RPC, as its contract declares it. */
export interface AccessRule {
  readonly roles: readonly Role[];
  /** The request's field that names what the call is about; empty where there is none. */
  readonly object: string;
  readonly idempotency: Idempotency;
  /** Whether the call may take one of the places that are kept free for what stops harm. */
  readonly control: boolean;
  /** Request field that may make the call wait when it is set, `*` when it always may, empty when it never does. */
  readonly waitsOn: string;
  /** Largest request in bytes, 0 where the port's own limit counts. */
  readonly requestBytesMax: number;
}

/** Our roles as the contract spells them. */
export const ROLE_MESSAGES = {
  payer: RoleMessage.PAYER,
  merchant: RoleMessage.MERCHANT,
  reviewer: RoleMessage.REVIEWER,
  operator: RoleMessage.OPERATOR,
  service: RoleMessage.SERVICE,
} as const satisfies Record<Role, RoleMessage>;

/** A role of the contract, or undefined for one this version does not know. */
export function roleFromMessage(message: RoleMessage): Role | undefined {
  return ALL_ROLES.find((role) => ROLE_MESSAGES[role] === message);
}

/** Largest request of an RPC in bytes, 0 where the port's own limit counts. */
export function requestBytesMax(method: DescMethod): number {
  return hasOption(method, access) ? getOption(method, access).requestBytesMax : 0;
}

/** The declared rules of services. Throws one error that names every RPC whose declaration is missing or wrong. */
export function accessRules(services: readonly DescService[]): ReadonlyMap<DescMethod, AccessRule> {
  const rules = new Map<DescMethod, AccessRule>();
  const mistakes: string[] = [];
  for (const method of services.flatMap((service) => service.methods)) {
    const mistake = mistakeIn(method);
    if (mistake === undefined) rules.set(method, ruleOf(method));
    else mistakes.push(`${method.parent.typeName}/${method.name} ${mistake}`);
  }
  if (mistakes.length > 0) {
    throw new Error(`access rules are not complete:\n  ${mistakes.join("\n  ")}`);
  }
  return rules;
}

function mistakeIn(method: DescMethod): string | undefined {
  if (!hasOption(method, access)) return "declares no (common.v1.access)";
  const { roles, object, idempotency, waitsOn } = getOption(method, access);
  const isField = (name: string): boolean =>
    method.input.fields.some((field) => field.name === name);
  if (roles.length === 0) return "names no role that may call it";
  if (roles.some((role) => roleFromMessage(role) === undefined)) return "names a role that is none";
  if (idempotency === Idempotency.UNSPECIFIED) return "does not say what makes a repeat safe";
  if (object !== "" && !isField(object)) {
    return `names the object ${object}, which is no field of ${method.input.name}`;
  }
  if (waitsOn !== "" && waitsOn !== "*" && !isField(waitsOn)) {
    return `waits on ${waitsOn}, which is no field of ${method.input.name}`;
  }
  return undefined;
}

function ruleOf(method: DescMethod): AccessRule {
  const { roles, object, idempotency, lane, waitsOn, requestBytesMax } = getOption(method, access);
  return {
    roles: roles.flatMap((role) => roleFromMessage(role) ?? []),
    object,
    idempotency,
    control: lane === Lane.CONTROL,
    waitsOn,
    requestBytesMax,
  };
}

/**
 * The scope a caller has in one RPC. Fails with ROLE_MISSING. Who may call only because of role `payer` is bound to its
 * own accounts; a payer who is, say, a merchant too is a merchant where merchants may call.
 */
export function admit(caller: Caller, rule: AccessRule): Scope {
  const granted = caller.roles.filter((role) => rule.roles.includes(role));
  if (granted.length === 0) {
    throw new Refusal("ROLE_MISSING", { metadata: { roles: rule.roles.join(",") } });
  }
  const { tenant, subject, roles, accounts } = caller;
  const scope = { tenant, subject, roles };
  return granted.every((role) => role === "payer") ? { ...scope, accounts } : scope;
}
