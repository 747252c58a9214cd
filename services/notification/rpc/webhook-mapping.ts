import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type DeliverySchema,
  DeliveryState,
  type EndpointSchema,
  EndpointState,
} from "#gen/notification/v1/webhook_pb.ts";
import { etagOf } from "../application/webhooks/change-endpoint.ts";
import type * as domain from "../domain/webhook.ts";
import { activeSecrets, type Endpoint, type WebhookDelivery } from "../domain/webhook.ts";

const STATES: Readonly<Record<domain.DeliveryState, DeliveryState>> = {
  PENDING: DeliveryState.PENDING,
  DELIVERED: DeliveryState.DELIVERED,
  DEAD: DeliveryState.DEAD,
};

export function endpointMessage(endpoint: Endpoint): MessageInitShape<typeof EndpointSchema> {
  return {
    endpointId: endpoint.id,
    url: endpoint.url,
    eventTypes: [...endpoint.eventTypes],
    description: endpoint.description,
    state: endpoint.enabled ? EndpointState.ENABLED : EndpointState.DISABLED,
    activeSecrets: activeSecrets(endpoint.secrets, new Date()).length,
    etag: etagOf(endpoint),
    createTime: timestampFromDate(endpoint.createTime),
    updateTime: timestampFromDate(endpoint.updateTime),
  };
}

export function deliveryMessage(
  delivery: WebhookDelivery,
): MessageInitShape<typeof DeliverySchema> {
  const { state, nextTime, deliverTime } = delivery;
  return {
    deliveryId: delivery.id,
    endpointId: delivery.endpointId,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    paymentId: delivery.paymentId,
    sequence: delivery.sequence,
    state: STATES[state],
    attempts: delivery.attempts,
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError,
    ...(state === "PENDING" && { nextTime: timestampFromDate(nextTime) }),
    createTime: timestampFromDate(delivery.createTime),
    ...(deliverTime && { deliverTime: timestampFromDate(deliverTime) }),
  };
}

/** Undefined for UNSPECIFIED, which means every state. */
export function toDeliveryState(state: DeliveryState): domain.DeliveryState | undefined {
  if (state === DeliveryState.PENDING) return "PENDING";
  if (state === DeliveryState.DELIVERED) return "DELIVERED";
  return state === DeliveryState.DEAD ? "DEAD" : undefined;
}

/** Undefined for UNSPECIFIED, which leaves it as it is. */
export function toEnabled(state: EndpointState): boolean | undefined {
  return state === EndpointState.UNSPECIFIED ? undefined : state === EndpointState.ENABLED;
}
