import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { WebhookDelivery } from "../../domain/webhook.ts";
import type { WebhookDeps } from "./deps.ts";
import { getEndpoint } from "./read.ts";

/**
 * Makes a delivery pending and due, whatever became of it, once per `callId`. Fails with DELIVERY_NOT_FOUND,
 * ENDPOINT_NOT_FOUND, ENDPOINT_DISABLED.
 */
export async function redeliver(
  deps: WebhookDeps,
  scope: Scope,
  deliveryId: string,
  callId: string,
): Promise<WebhookDelivery> {
  const delivery = await deps.webhooks.findDelivery(scope, deliveryId);
  if (delivery === undefined) throw deliveryNotFound(deliveryId);
  const endpoint = await getEndpoint(deps, scope, delivery.endpointId);
  if (!endpoint.enabled) {
    throw new Refusal("ENDPOINT_DISABLED", { metadata: { endpoint_id: endpoint.id } });
  }
  const at = { now: deps.clock(), callId };
  const again = await deps.webhooks.redeliver(scope, deliveryId, at);
  if (again === undefined) throw deliveryNotFound(deliveryId);
  deps.wakeSender();
  return again;
}

function deliveryNotFound(id: string): Refusal {
  return new Refusal("DELIVERY_NOT_FOUND", {
    message: `There is no delivery ${id}; look it up with ListDeliveries.`,
    metadata: { delivery_id: id },
  });
}
