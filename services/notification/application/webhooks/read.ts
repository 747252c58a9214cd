import { equalTo, type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { DeliveryState, Endpoint, WebhookDelivery } from "../../domain/webhook.ts";
import { DELIVERY_LIST, ENDPOINT_LIST } from "../lists.ts";
import { endpointNotFound } from "./change-endpoint.ts";
import type { WebhookDeps } from "./deps.ts";

/** Reads an endpoint. Fails with ENDPOINT_NOT_FOUND. */
export async function getEndpoint(
  deps: WebhookDeps,
  scope: Scope,
  endpointId: string,
): Promise<Endpoint> {
  const stored = await deps.webhooks.findEndpoint(scope, endpointId);
  if (stored === undefined || stored.deleted) throw endpointNotFound(endpointId);
  return stored.endpoint;
}

/** Lists endpoints, newest first. Fails with INVALID_PAGE_TOKEN, and INVALID_FIELD for a filter or order it does not know. */
export function listEndpoints(
  deps: WebhookDeps,
  scope: Scope,
  request: ListRequest,
): Promise<ListPage<Endpoint>> {
  return readList(ENDPOINT_LIST, scope, request, {
    find: (query) => deps.webhooks.listEndpoints(scope, query),
    positionOf: ({ createTime, id }) => [createTime, id],
  });
}

/** Which deliveries to list; undefined means all. */
export interface DeliveryListRequest extends ListRequest {
  readonly endpointId: string | undefined;
  readonly paymentId: string | undefined;
  readonly state: DeliveryState | undefined;
}

/** Lists deliveries, newest first. Fails with INVALID_PAGE_TOKEN, and INVALID_FIELD for a filter or order it does not know. */
export function listDeliveries(
  deps: WebhookDeps,
  scope: Scope,
  request: DeliveryListRequest,
): Promise<ListPage<WebhookDelivery>> {
  const { endpointId, paymentId, state } = request;
  return readList(DELIVERY_LIST, scope, request, {
    fixed: equalTo({ endpoint_id: endpointId, payment_id: paymentId, state }),
    find: (query) => deps.webhooks.listDeliveries(scope, query),
    positionOf: ({ createTime, id }) => [createTime, id],
  });
}
