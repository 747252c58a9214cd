import { pageSize, pageToken, readPageToken } from "#kit/page.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { DeliveryState, Endpoint, WebhookDelivery } from "../../domain/webhook.ts";
import type { After } from "../../store/webhook-port.ts";
import { endpointNotFound } from "./change-endpoint.ts";
import type { WebhookDeps } from "./deps.ts";

/** Which page. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A page of a list. */
export interface Page<T> {
  readonly rows: readonly T[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

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

/** Lists endpoints, newest first. Fails with INVALID_PAGE_TOKEN. */
export function listEndpoints(
  deps: WebhookDeps,
  scope: Scope,
  page: PageRequest,
): Promise<Page<Endpoint>> {
  const filter = { tenant: scope.tenant, list: "endpoints" };
  return readPage(page, filter, (limit, after) =>
    deps.webhooks.listEndpoints(scope, { limit, after }),
  );
}

/** Lists deliveries, newest first. Fails with INVALID_PAGE_TOKEN. */
export function listDeliveries(
  deps: WebhookDeps,
  scope: Scope,
  page: PageRequest,
  wanted: {
    readonly endpointId: string | undefined;
    readonly paymentId: string | undefined;
    readonly state: DeliveryState | undefined;
  },
): Promise<Page<WebhookDelivery>> {
  const { endpointId = null, paymentId = null, state = null } = wanted;
  const filter = { tenant: scope.tenant, list: "deliveries", endpointId, paymentId, state };
  return readPage(page, filter, (limit, after) =>
    deps.webhooks.listDeliveries(scope, { ...wanted, limit, after }),
  );
}

async function readPage<T extends { readonly id: string; readonly createTime: Date }>(
  page: PageRequest,
  filter: object,
  read: (limit: number, after: After | undefined) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const size = pageSize(page.pageSize);
  const [timeMs, lastId] = readPageToken(page.pageToken, filter, 2) ?? [];
  const after =
    timeMs === undefined || lastId === undefined
      ? undefined
      : { createTime: new Date(Number(timeMs)), id: lastId };
  const found = await read(size + 1, after);
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  if (found.length <= size || last === undefined) return { rows, nextPageToken: "" };
  return { rows, nextPageToken: pageToken(filter, [`${last.createTime.getTime()}`, last.id]) };
}
