import { BEHAVIOUR_EVENTS_MAX } from "../domain/behaviour.ts";

const text = { bsonType: "string" } as const;
const date = { bsonType: "date" } as const;
const minorUnits = { bsonType: "long", minimum: 0 } as const;

const key = object({ tenant: text, id: text });
const money = object({ currencyCode: text, minorUnits });

const transactions = object({
  _id: key,
  gatewayReference: text,
  order: { anyOf: [{ bsonType: "null" }, object({ merchantReference: text, amount: money })] },
  state: { enum: ["PENDING", "AUTHORIZED", "CAPTURED", "VOIDED", "DECLINED"] },
  capturedMinor: minorUnits,
  refundedMinor: minorUnits,
  declineReason: text,
  upcoming: { enum: ["NONE", "ON_TIME", "EVEN_IF_VOIDED"] },
  dropsAnswers: { bsonType: "bool" },
  authorizeTime: { bsonType: ["date", "null"] },
  createTime: date,
  updateTime: date,
  version: { bsonType: "long" },
});

const operations = object({
  _id: key,
  kind: { enum: ["CAPTURE", "VOID", "REFUND"] },
  authorizationKey: text,
  amount: { anyOf: [{ bsonType: "null" }, money] },
  refusal: { bsonType: ["string", "null"] },
  createTime: date,
});

const callbacks = object({
  _id: key,
  state: { enum: ["OPEN", "DONE", "DEAD"] },
  sendings: {
    bsonType: "array",
    maxItems: BEHAVIOUR_EVENTS_MAX,
    items: object({ event: { bsonType: "int" }, forged: { bsonType: "bool" }, eventId: text }),
  },
  sentCount: { bsonType: "int" },
  attempts: { bsonType: "int" },
  firstDueTime: date,
  dueTime: { bsonType: ["date", "null"] },
  updateTime: date,
});

const attempts = object({ _id: key, count: { bsonType: "int" } });

/** What each collection of the gateway may hold. */
export const COLLECTION_SCHEMAS = { transactions, operations, callbacks, attempts } as const;

function object<P extends Record<string, object>>(properties: P) {
  return {
    bsonType: "object",
    required: Object.keys(properties),
    properties,
    additionalProperties: false,
  } as const;
}
