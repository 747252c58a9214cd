import { type Db, type MongoClient, MongoServerError } from "mongodb";
import type { ListQuery } from "#kit/list/spec.ts";
import { key } from "#kit/mongo/key.ts";
import { listConditions, listFilter, listSort, listWhere } from "#kit/mongo/list.ts";
import type { Endpoint, WebhookDelivery } from "../domain/webhook.ts";
import type { Tenant } from "./port.ts";
import { claimDelivery, settleDelivery } from "./webhook-claims.ts";
import { fanOut } from "./webhook-outbox.ts";
import type { WebhookStore } from "./webhook-port.ts";
import {
  DELIVERY_COLUMNS,
  type DeliveryRow,
  ENDPOINT_COLUMNS,
  type EndpointRow,
  endpointRow,
  toDelivery,
  toEndpoint,
  toStoredEndpoint,
  type WebhookCollections,
  webhookCollections,
} from "./webhook-rows.ts";

const DUPLICATE_KEY = 11_000;

/** Opens the webhooks of Notification's database. */
export function createWebhookStore(client: MongoClient, db: Db): WebhookStore {
  const rows = webhookCollections(db);
  return {
    insertEndpoint: (tenant, endpoint) => insertEndpoint(rows, tenant, endpoint),
    async findEndpoint(tenant, id) {
      const row = await rows.endpoints.findOne({ _id: key(tenant, id) });
      return row === null ? undefined : toStoredEndpoint(row);
    },
    async replaceEndpoint(tenant, stored) {
      const row = endpointRow(tenant, stored);
      const before = { _id: row._id, version: row.version - 1n };
      const { matchedCount } = await rows.endpoints.replaceOne(before, row);
      return matchedCount === 1;
    },
    listEndpoints: (tenant, query) => listEndpoints(rows, tenant, query),
    countEndpoints: ({ tenant }) =>
      rows.endpoints.countDocuments({ "_id.tenant": tenant, state: { $ne: "DELETED" } }),
    async findDelivery(tenant, id) {
      const row = await rows.deliveries.findOne({ _id: key(tenant, id) });
      return row === null ? undefined : toDelivery(row);
    },
    listDeliveries: (tenant, query) => listDeliveries(rows, tenant, query),
    redeliver: (tenant, id, at) => redeliver(rows, tenant, id, at),
    async abandon({ tenant }, endpointId, error) {
      await rows.deliveries.updateMany(
        { "_id.tenant": tenant, endpointId, state: "PENDING" },
        { $set: { state: "DEAD", lastError: error, claim: "", updateTime: new Date() } },
      );
    },
    fanOut: (limit, now) => fanOut(client, rows, limit, now),
    claimDelivery: (options) => claimDelivery(rows, options),
    settleDelivery: (claimed, outcome, keepMs) => settleDelivery(rows, claimed, outcome, keepMs),
  };
}

async function insertEndpoint(
  rows: WebhookCollections,
  tenant: Tenant,
  endpoint: Endpoint,
): Promise<Endpoint> {
  const row = endpointRow(tenant, { endpoint, callId: endpoint.id, deleted: false });
  try {
    await rows.endpoints.insertOne(row);
    return endpoint;
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    const stored = await rows.endpoints.findOne({ _id: row._id });
    if (stored === null) throw error;
    return toEndpoint(stored);
  }
}

async function listEndpoints(
  rows: WebhookCollections,
  { tenant }: Tenant,
  query: ListQuery,
): Promise<readonly Endpoint[]> {
  const present = { "_id.tenant": tenant, state: { $ne: "DELETED" } };
  const found = await rows.endpoints
    .find(listWhere<EndpointRow>([present, ...listConditions(query, ENDPOINT_COLUMNS)]))
    .sort(listSort(query, ENDPOINT_COLUMNS))
    .limit(query.limit)
    .toArray();
  return found.map(toEndpoint);
}

async function listDeliveries(
  rows: WebhookCollections,
  tenant: Tenant,
  query: ListQuery,
): Promise<readonly WebhookDelivery[]> {
  const found = await rows.deliveries
    .find(listFilter<DeliveryRow>(tenant, query, DELIVERY_COLUMNS))
    .sort(listSort(query, DELIVERY_COLUMNS))
    .limit(query.limit)
    .toArray();
  return found.map(toDelivery);
}

/** The token is dropped with it: an attempt that is still under way cannot write its outcome over the new start. */
async function redeliver(
  rows: WebhookCollections,
  tenant: Tenant,
  id: string,
  { now, callId }: { readonly now: Date; readonly callId: string },
): Promise<WebhookDelivery | undefined> {
  const again = {
    state: "PENDING",
    attempts: 0,
    nextTime: now,
    startTime: now,
    deliverTime: null,
    expireTime: null,
    claim: "",
    callId,
    updateTime: now,
  } as const;
  const row = await rows.deliveries.findOneAndUpdate(
    { _id: key(tenant, id), callId: { $ne: callId } },
    { $set: again },
    { returnDocument: "after" },
  );
  const stored = row ?? (await rows.deliveries.findOne({ _id: key(tenant, id) }));
  return stored === null ? undefined : toDelivery(stored);
}
