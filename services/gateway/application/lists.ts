import type { ListSpec } from "#kit/list/spec.ts";

/** What ListTransactions can be asked for. */
export const TRANSACTION_LIST: ListSpec = {
  name: "gateway transactions",
  fields: {
    authorization_key: "string",
    merchant_reference: "string",
    state: {
      prefix: "TRANSACTION_STATE_",
      values: ["PENDING", "AUTHORIZED", "CAPTURED", "VOIDED", "DECLINED"],
    },
    "amount.currency_code": "string",
    "amount.minor_units": "int64",
    create_time: "timestamp",
  },
  orders: { authorization_key: { descending: false, position: ["id"] } },
};
