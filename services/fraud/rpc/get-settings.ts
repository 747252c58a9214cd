import { scopeOf } from "#kit/rpc/context.ts";
import { getSettings as readSettings } from "../application/settings.ts";
import { settingsMessage } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function getSettings(deps: FraudRpcDeps): Pick<FraudHandlers, "getSettings"> {
  return {
    async getSettings(_, context) {
      return { settings: settingsMessage(await readSettings(deps, scopeOf(context))) };
    },
  };
}
