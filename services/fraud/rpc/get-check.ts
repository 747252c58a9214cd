import { scopeOf } from "#kit/rpc/context.ts";
import { getCheck as readCheck } from "../application/read-checks.ts";
import { checkMessage } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function getCheck(deps: FraudRpcDeps): Pick<FraudHandlers, "getCheck"> {
  return {
    async getCheck({ checkId }, context) {
      return { check: checkMessage(await readCheck(deps, scopeOf(context), checkId)) };
    },
  };
}
