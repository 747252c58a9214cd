import { scopeOf } from "#kit/rpc/context.ts";
import { listDeliveries as readDeliveries } from "../application/webhooks/read.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { deliveryMessage, toDeliveryState } from "./webhook-mapping.ts";

export function listDeliveries(deps: WebhookRpcDeps): Pick<WebhookHandlers, "listDeliveries"> {
  return {
    async listDeliveries(request, context) {
      const { endpointId, paymentId, state } = request;
      const page = await readDeliveries(deps, scopeOf(context), {
        ...request,
        endpointId: endpointId === "" ? undefined : endpointId,
        paymentId: paymentId === "" ? undefined : paymentId,
        state: toDeliveryState(state),
      });
      return { deliveries: page.items.map(deliveryMessage), nextPageToken: page.nextPageToken };
    },
  };
}
