import type { ListSpec } from "#kit/list/spec.ts";

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
  orders: { create_time: { descending: true, position: ["time", "id"] } },
};
