import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Role, Scope } from "../pure/scope.ts";

const ALL_ROLES: readonly Role[] = ["payer", "merchant", "reviewer", "operator", "service"];

/** Header with the tenant a service acts for; honoured only from role `service`. */
export const TENANT_HEADER = "settle-tenant";

/** Who calls, set by the gate before the body is read. */
export const scopeKey = createContextKey<Scope>(
  { tenant: "default", subject: "dev", roles: ALL_ROLES },
  { description: "scope" },
);

/** On whose behalf a handler runs. */
export function scopeOf(context: HandlerContext): Scope {
  return context.values.get(scopeKey);
}

/** Development's caller: `dev`, all roles, the tenant a service names or `default`. */
export function developmentScope(header: Headers): Scope {
  const tenant = header.get(TENANT_HEADER) ?? "default";
  return { tenant, subject: "dev", roles: ALL_ROLES };
}
