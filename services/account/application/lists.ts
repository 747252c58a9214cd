import type { ListSpec } from "#kit/list/spec.ts";

/** What ListAccounts can be asked for. */
export const ACCOUNT_LIST: ListSpec = {
  name: "accounts",
  fields: {
    account_id: "string",
    owner_id: "string",
    currency_code: "string",
    state: { prefix: "ACCOUNT_STATE_", values: ["ACTIVE", "FROZEN"] },
    create_time: "timestamp",
  },
  orders: {
    account_id: { descending: false, position: ["id"] },
    create_time: { descending: true, position: ["time", "id"] },
  },
};

/** What ListEntries can be asked for. */
export const ENTRY_LIST: ListSpec = {
  name: "entries",
  fields: {
    transaction_id: "string",
    counter_account_id: "string",
    reference: "string",
    "amount.minor_units": "int64",
    create_time: "timestamp",
  },
  orders: { create_time: { descending: true, position: ["int64", "id"] } },
};
