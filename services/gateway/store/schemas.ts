import { closedKey, date, dateOrNull, int64, notNegative, text } from "#kit/mongo/schema.ts";
import { BEHAVIOUR_EVENTS_MAX } from "../domain/behaviour.ts";

const money = object({ currencyCode: text, minorUnits: notNegative });

const transactions = object(
  {
    _id: closedKey,
    gatewayReference: text,
    order: { anyOf: [{ bsonType: "null" }, object({ merchantReference: text, amount: money })] },
    state: { enum: ["PENDING", "AUTHORIZED", "CAPTURED", "VOIDED", "DECLINED"] },
    capturedMinor: notNegative,
    refundedMinor: notNegative,
    declineReason: text,
    upcoming: { enum: ["NONE", "ON_TIME", "EVEN_IF_VOIDED"] },
    dropsAnswers: { bsonType: "bool" },
    authorizeTime: dateOrNull,
    createTime: date,
    updateTime: date,
    version: int64,
  },
  {
    providerRefunds: {
      bsonType: "array",
      maxItems: 100,
      items: object({ key: text, minorUnits: notNegative }),
    },
  },
);

const operations = object(
  {
    _id: closedKey,
    kind: { enum: ["CAPTURE", "VOID", "REFUND"] },
    authorizationKey: text,
    amount: { anyOf: [{ bsonType: "null" }, money] },
    refusal: { bsonType: ["string", "null"] },
    createTime: date,
  },
  { byProvider: { bsonType: "bool" } },
);

const callbacks = object(
  {
    _id: closedKey,
    state: { enum: ["OPEN", "DONE", "DEAD"] },
    sendings: {
      bsonType: "array",
      maxItems: BEHAVIOUR_EVENTS_MAX,
      items: object({ event: { bsonType: "int" }, forged: { bsonType: "bool" }, eventId: text }),
    },
    sentCount: { bsonType: "int" },
    attempts: { bsonType: "int" },
    firstDueTime: date,
    dueTime: dateOrNull,
    updateTime: date,
  },
  {
    authorizationKey: text,
    news: object({
      key: text,
      state: { enum: ["REFUNDED", "VOIDED"] },
      minorUnits: notNegative,
      time: date,
    }),
  },
);

const attempts = object({ _id: closedKey, count: { bsonType: "int" } }, { updateTime: date });

/** What each collection of the gateway may hold. */
export const COLLECTION_SCHEMAS = { transactions, operations, callbacks, attempts } as const;

function object<P extends Record<string, object>, O extends Record<string, object>>(
  properties: P,
  optional?: O,
) {
  return {
    bsonType: "object",
    required: Object.keys(properties),
    properties: { ...properties, ...optional },
    additionalProperties: false,
  } as const;
}
