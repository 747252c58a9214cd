import { scopeOf } from "#kit/rpc/context.ts";
import { listEndpoints as readEndpoints } from "../application/webhooks/read.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { endpointMessage } from "./webhook-mapping.ts";

export function listEndpoints(deps: WebhookRpcDeps): Pick<WebhookHandlers, "listEndpoints"> {
  return {
    async listEndpoints(request, context) {
      const page = await readEndpoints(deps, scopeOf(context), request);
      return { endpoints: page.items.map(endpointMessage), nextPageToken: page.nextPageToken };
    },
  };
}
