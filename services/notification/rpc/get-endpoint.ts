import { scopeOf } from "#kit/rpc/context.ts";
import { getEndpoint as readEndpoint } from "../application/webhooks/read.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { endpointMessage } from "./webhook-mapping.ts";

export function getEndpoint(deps: WebhookRpcDeps): Pick<WebhookHandlers, "getEndpoint"> {
  return {
    async getEndpoint({ endpointId }, context) {
      const endpoint = await readEndpoint(deps, scopeOf(context), endpointId);
      return { endpoint: endpointMessage(endpoint) };
    },
  };
}
