import type { Collection, Db } from "mongodb";
import { type Key, key } from "#kit/mongo/key.ts";
import type { ListColumns } from "#kit/mongo/list.ts";
import type { Endpoint, WebhookDelivery } from "../domain/webhook.ts";
import type { Tenant } from "./port.ts";
import type { NotificationRow } from "./rows.ts";
import type { StoredEndpoint } from "./webhook-port.ts";

/** A row of `webhook_endpoints`. */
export interface EndpointRow {
  readonly _id: Key;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly description: string;
  readonly state: "ENABLED" | "DISABLED" | "DELETED";
  readonly secrets: readonly {
    readonly id: string;
    readonly secret: string;
    readonly endTime: Date | null;
  }[];
  readonly callId: string;
  readonly version: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** A row of `webhook_deliveries`. */
export interface DeliveryRow extends Omit<WebhookDelivery, "id" | "deliverTime"> {
  readonly _id: Key;
  /** Token of the sender that took it last; empty before. */
  readonly claim: string;
  /** The Redeliver that was last; empty before. */
  readonly callId: string;
  readonly deliverTime: Date | null;
  readonly updateTime: Date;
  /** When the row may go; null while it matters. */
  readonly expireTime: Date | null;
}

/** A row of `webhook_sequences`: the number of the last event of a payment. */
export interface SequenceRow {
  readonly _id: Key;
  readonly last: number;
  /** Absent in rows from before it was kept: they stay. */
  readonly updateTime?: Date;
}

/** Collections that webhooks live in. */
export interface WebhookCollections {
  readonly notifications: Collection<NotificationRow>;
  readonly endpoints: Collection<EndpointRow>;
  readonly deliveries: Collection<DeliveryRow>;
  readonly sequences: Collection<SequenceRow>;
}

/** Names them; `notificationMigrations` makes them. */
export function webhookCollections(db: Db): WebhookCollections {
  return {
    notifications: db.collection("notifications"),
    endpoints: db.collection("webhook_endpoints"),
    deliveries: db.collection("webhook_deliveries"),
    sequences: db.collection("webhook_sequences"),
  };
}

export function endpointRow(tenant: Tenant, stored: StoredEndpoint): EndpointRow {
  const { id, enabled, secrets, ...fields } = stored.endpoint;
  const state = enabled ? "ENABLED" : "DISABLED";
  return {
    _id: key(tenant, id),
    ...fields,
    state: stored.deleted ? "DELETED" : state,
    secrets: secrets.map((one) => ({ ...one, endTime: one.endTime ?? null })),
    callId: stored.callId,
  };
}

export function toStoredEndpoint(row: EndpointRow): StoredEndpoint {
  return { endpoint: toEndpoint(row), callId: row.callId, deleted: row.state === "DELETED" };
}

export function toEndpoint(row: EndpointRow): Endpoint {
  const { url, eventTypes, description, state, secrets, version, createTime, updateTime } = row;
  return {
    id: row._id.id,
    url,
    eventTypes,
    description,
    enabled: state === "ENABLED",
    secrets: secrets.map((one) => ({ ...one, endTime: one.endTime ?? undefined })),
    version,
    createTime,
    updateTime,
  };
}

export function toDelivery(row: DeliveryRow): WebhookDelivery {
  return {
    id: row._id.id,
    endpointId: row.endpointId,
    eventId: row.eventId,
    eventType: row.eventType,
    paymentId: row.paymentId,
    sequence: row.sequence,
    body: row.body,
    state: row.state,
    attempts: row.attempts,
    lastStatus: row.lastStatus,
    lastError: row.lastError,
    nextTime: row.nextTime,
    startTime: row.startTime,
    createTime: row.createTime,
    deliverTime: row.deliverTime ?? undefined,
  };
}

/** Where the documented fields of endpoints lie. */
export const ENDPOINT_COLUMNS: ListColumns = {
  fields: { endpoint_id: "_id.id", url: "url", state: "state", create_time: "createTime" },
  sorts: { create_time: ["createTime", "_id.id"] },
};

/** Where the documented fields of deliveries lie. */
export const DELIVERY_COLUMNS: ListColumns = {
  fields: {
    delivery_id: "_id.id",
    endpoint_id: "endpointId",
    event_id: "eventId",
    event_type: "eventType",
    payment_id: "paymentId",
    state: "state",
    create_time: "createTime",
  },
  sorts: { create_time: ["createTime", "_id.id"] },
};
