import type { HandlerContext } from "@connectrpc/connect";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { Refusal } from "../refusal.ts";
import { callKey } from "./call.ts";
import { developmentScope, scopeKey, TENANT_HEADER } from "./context.ts";
import { toWire } from "./outcome.ts";
import { reflectionServices } from "./reflection.ts";

/** Services anyone may call: probes and tools have no key. */
const EXEMPT: ReadonlySet<string> = new Set(
  [Health, ...reflectionServices].map((service) => service.typeName),
);

/** A tenant is part of keys and log lines. */
const TENANT = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Runs before the message is read, so that whoever may not call costs nothing: says who calls and on whose behalf.
 */
export function gate(context: HandlerContext, reasons: ReasonTable): void {
  if (EXEMPT.has(context.service.typeName)) return;
  try {
    const scope = developmentScope(context.requestHeader);
    if (!TENANT.test(scope.tenant)) {
      throw new Refusal("INVALID_FIELD", { message: `${TENANT_HEADER}: not a tenant` });
    }
    context.values.set(scopeKey, scope);
  } catch (error) {
    throw toWire(error, reasons, context.values.get(callKey));
  }
}
