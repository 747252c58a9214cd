import type { DescService } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { accessRules, admit } from "../auth/access.ts";
import type { Authority } from "../auth/authority.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import type { Admission } from "./admission.ts";
import { callKey } from "./call.ts";
import { callerKey, scopeKey } from "./context.ts";
import { toWire } from "./outcome.ts";
import { reflectionServices } from "./reflection.ts";

/** Services anyone may call: probes and tools have no key. */
export const EXEMPT_SERVICES: readonly DescService[] = [Health, ...reflectionServices];

/** Their full names. */
export const EXEMPT: ReadonlySet<string> = new Set(EXEMPT_SERVICES.map(({ typeName }) => typeName));

/**
 * Runs before the message is read, so that whoever may not call costs nothing: says who calls, whether its role may,
 * and on whose behalf. Throws at once when an RPC of the services declares no access rule.
 */
export function createGate(
  services: readonly DescService[],
  authority: Authority,
  reasons: ReasonTable,
  admission?: Admission,
): (context: HandlerContext) => Promise<void> {
  const rules = accessRules(services.filter(({ typeName }) => !EXEMPT.has(typeName)));
  return async (context) => {
    if (EXEMPT.has(context.service.typeName)) return;
    try {
      const rule = rules.get(context.method);
      if (rule === undefined) throw new Error(`${context.method.name} has no access rule`);
      const caller = await authority.authenticate(context.requestHeader);
      context.values.set(callerKey, caller);
      context.values.set(scopeKey, admit(caller, rule));
      const release = admission?.enter(caller.credential);
      if (release !== undefined) context.values.get(callKey)?.onEnd.push(release);
    } catch (error) {
      throw toWire(error, reasons, context.values.get(callKey));
    }
  };
}
