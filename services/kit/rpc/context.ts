import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { AccessRule } from "../auth/access.ts";
import type { Caller } from "../auth/authority.ts";
import type { Scope } from "../pure/scope.ts";

export { TENANT_HEADER } from "../auth/authority.ts";

/** On whose behalf a call runs, set by the gate before the body is read. Nobody until then. */
export const scopeKey = createContextKey<Scope>(
  { tenant: "", subject: "", roles: [], accounts: [] },
  { description: "scope" },
);

/** Who calls, for limits and logs; undefined for exempt services. */
export const callerKey = createContextKey<Caller | undefined>(undefined, { description: "caller" });

/** What the contract declares of the RPC; undefined for exempt services. */
export const ruleKey = createContextKey<AccessRule | undefined>(undefined, { description: "rule" });

/** On whose behalf a handler runs. */
export function scopeOf(context: HandlerContext): Scope {
  return context.values.get(scopeKey);
}
