import type { ListSpec } from "#kit/list/spec.ts";

/** What ListChecks can be asked for. */
export const CHECK_LIST: ListSpec = {
  name: "checks",
  fields: {
    check_id: "string",
    payment_id: "string",
    account_id: "string",
    decision: { prefix: "FRAUD_DECISION_", values: ["PASS", "FAIL", "REVIEW"] },
    released: "boolean",
    "amount.currency_code": "string",
    "amount.minor_units": "int64",
    create_time: "timestamp",
  },
  orders: { create_time: { descending: true, position: ["time", "id"] } },
};
