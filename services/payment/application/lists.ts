import type { ListSpec } from "#kit/list/spec.ts";

/** What List of payments can be asked for. Ids are UUIDv7, so that their order is that of creation. */
export const PAYMENT_LIST: ListSpec = {
  name: "payments",
  fields: {
    payment_id: "string",
    account_id: "string",
    order_id: "string",
    status: {
      prefix: "PAYMENT_STATUS_",
      values: [
        "PENDING",
        "PROCESSING",
        "REQUIRES_CAPTURE",
        "SUCCEEDED",
        "FAILED",
        "CANCELLED",
        "PARTIALLY_REFUNDED",
        "REFUNDED",
        "NEEDS_REVIEW",
      ],
    },
    capture_mode: { prefix: "CAPTURE_MODE_", values: ["AUTOMATIC", "MANUAL"] },
    "amount.currency_code": "string",
    "amount.minor_units": "int64",
    create_time: "timestamp",
  },
  orders: { create_time: { descending: true, position: ["id"] } },
};

/** What ListRefunds can be asked for. */
export const REFUND_LIST: ListSpec = {
  name: "refunds",
  fields: {
    refund_id: "string",
    status: { prefix: "REFUND_STATUS_", values: ["PENDING", "SUCCEEDED", "FAILED"] },
    "amount.minor_units": "int64",
    create_time: "timestamp",
  },
  orders: { create_time: { descending: true, position: ["id"] } },
};

/** What ListTasks can be asked for. */
export const TASK_LIST: ListSpec = {
  name: "payment tasks",
  fields: {
    task_id: "string",
    payment_id: "string",
    refund_id: "string",
    kind: "string",
    state: { prefix: "TASK_STATE_", values: ["OPEN", "CLOSED"] },
    create_time: "timestamp",
  },
  orders: { create_time: { descending: true, position: ["time", "id"] } },
};
