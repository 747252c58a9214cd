import { scopeOf } from "#kit/rpc/context.ts";
import { release as releaseCheck } from "../application/release.ts";
import { checkMessage } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function release(deps: FraudRpcDeps): Pick<FraudHandlers, "release"> {
  return {
    async release({ checkId }, context) {
      return { check: checkMessage(await releaseCheck(deps, scopeOf(context), checkId)) };
    },
  };
}
