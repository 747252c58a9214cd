import { scopeOf } from "#kit/rpc/context.ts";
import { listChecks as readChecks } from "../application/read-checks.ts";
import { checkMessage, toDecision } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function listChecks(deps: FraudRpcDeps): Pick<FraudHandlers, "listChecks"> {
  return {
    async listChecks(request, context) {
      const query = { ...request, decision: toDecision(request.decision) };
      const { items, nextPageToken } = await readChecks(deps, scopeOf(context), query);
      return { checks: items.map(checkMessage), nextPageToken };
    },
  };
}
