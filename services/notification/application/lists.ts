import type { ListSpec } from "#kit/list/spec.ts";

const NEWEST_FIRST: ListSpec["orders"] = {
  create_time: { descending: true, position: ["time", "id"] },
};

/** What List of notifications can be asked for. */
export const NOTIFICATION_LIST: ListSpec = {
  name: "notifications",
  fields: {
    notification_id: "string",
    payment_id: "string",
    recipient: "string",
    channel: { prefix: "CHANNEL_", values: ["EMAIL", "SMS"] },
    template: {
      prefix: "TEMPLATE_",
      values: ["PAYMENT_SUCCEEDED", "PAYMENT_FAILED", "PAYMENT_CANCELLED", "PAYMENT_REFUNDED"],
    },
    status: { prefix: "NOTIFICATION_STATUS_", values: ["QUEUED", "SENT", "FAILED"] },
    create_time: "timestamp",
  },
  orders: NEWEST_FIRST,
};

/** What ListEndpoints can be asked for. */
export const ENDPOINT_LIST: ListSpec = {
  name: "webhook endpoints",
  fields: {
    endpoint_id: "string",
    url: "string",
    state: { prefix: "ENDPOINT_STATE_", values: ["ENABLED", "DISABLED"] },
    create_time: "timestamp",
  },
  orders: NEWEST_FIRST,
};

/** What ListDeliveries can be asked for. */
export const DELIVERY_LIST: ListSpec = {
  name: "webhook deliveries",
  fields: {
    delivery_id: "string",
    endpoint_id: "string",
    event_id: "string",
    event_type: "string",
    payment_id: "string",
    state: { prefix: "DELIVERY_STATE_", values: ["PENDING", "DELIVERED", "DEAD"] },
    create_time: "timestamp",
  },
  orders: NEWEST_FIRST,
};
