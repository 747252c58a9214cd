import { scopeOf } from "#kit/rpc/context.ts";
import { listDeliveries as readDeliveries } from "../application/webhooks/read.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { deliveryMessage, toDeliveryState } from "./webhook-mapping.ts";

export function listDeliveries(deps: WebhookRpcDeps): Pick<WebhookHandlers, "listDeliveries"> {
  return {
    async listDeliveries({ pageSize, pageToken, endpointId, paymentId, state }, context) {
      const wanted = {
        endpointId: endpointId === "" ? undefined : endpointId,
        paymentId: paymentId === "" ? undefined : paymentId,
        state: toDeliveryState(state),
      };
      const page = await readDeliveries(deps, scopeOf(context), { pageSize, pageToken }, wanted);
      return { deliveries: page.rows.map(deliveryMessage), nextPageToken: page.nextPageToken };
    },
  };
}
