import { scopeOf } from "#kit/rpc/context.ts";
import { listEndpoints as readEndpoints } from "../application/webhooks/read.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { endpointMessage } from "./webhook-mapping.ts";

export function listEndpoints(deps: WebhookRpcDeps): Pick<WebhookHandlers, "listEndpoints"> {
  return {
    async listEndpoints({ pageSize, pageToken }, context) {
      const page = await readEndpoints(deps, scopeOf(context), { pageSize, pageToken });
      return { endpoints: page.rows.map(endpointMessage), nextPageToken: page.nextPageToken };
    },
  };
}
