import { create, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CreateRequestSchema } from "#gen/payment/v1/payment_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";

const base = {
  requestId: "r1",
  amount: { currencyCode: "USD", minorUnits: "1250" },
  description: "tea",
  metadata: { b: "2", a: "1", "10": "x", "9": "y" },
};

function hashOf(json: object, excluded: string[] = []): string {
  return requestHash(
    CreateRequestSchema,
    fromJson(CreateRequestSchema, { ...base, ...json }),
    excluded,
  );
}

test("ignores the order of map entries and fields, so that two encoders of one request agree", () => {
  const wanted = hashOf({});
  expect(hashOf({ metadata: { "9": "y", a: "1", "10": "x", b: "2" } })).toBe(wanted);
  const bytes = toBinary(CreateRequestSchema, fromJson(CreateRequestSchema, base));
  expect(requestHash(CreateRequestSchema, fromBinary(CreateRequestSchema, bytes))).toBe(wanted);
  // Protobuf allows any order of fields on the wire: the last field first means the same.
  const description = toBinary(
    CreateRequestSchema,
    create(CreateRequestSchema, { description: "tea" }),
  );
  const rest = toBinary(
    CreateRequestSchema,
    fromJson(CreateRequestSchema, { ...base, description: "" }),
  );
  const turned = fromBinary(CreateRequestSchema, Buffer.concat([description, rest]));
  expect(requestHash(CreateRequestSchema, turned)).toBe(wanted);
});

test("ignores request_id, wait_* and defaults, which do not change what is asked for", () => {
  const wanted = hashOf({});
  expect(hashOf({ requestId: "another" })).toBe(wanted);
  expect(hashOf({ waitUntil: "WAIT_UNTIL_COMPLETED", waitTimeout: "5s" })).toBe(wanted);
  expect(hashOf({ orderId: "" })).toBe(wanted);
});

test("ignores a field the caller excludes, and only that", () => {
  expect(hashOf({ description: "coffee" }, ["description"])).toBe(hashOf({}, ["description"]));
  expect(hashOf({ orderId: "o1" }, ["description"])).not.toBe(hashOf({}, ["description"]));
});

test("differs for every difference in the body, nested ones and unknown fields too", () => {
  const hashes = [
    hashOf({}),
    hashOf({ amount: { currencyCode: "USD", minorUnits: "1251" } }),
    hashOf({ amount: { currencyCode: "EUR", minorUnits: "1250" } }),
    hashOf({ description: "coffee" }),
    hashOf({ metadata: { a: "2", b: "1", "10": "x", "9": "y" } }),
    hashOf({ metadata: { a: "1" } }),
    hashOf({ paymentMethod: { mock: { behaviour: "BEHAVIOUR_DECLINE" } } }),
    hashOf({ paymentMethod: { mock: { behaviour: "BEHAVIOUR_FLAKY", flakyAttempts: 1 } } }),
    hashOf({ paymentMethod: { cardToken: { token: "tok_1" } } }),
    withUnknown([0x98, 0x3f, 0x01]),
    withUnknown([0x98, 0x3f, 0x02]),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("does not change the message it hashes, which the handler still needs", () => {
  const message = fromJson(CreateRequestSchema, { ...base, waitTimeout: "5s" });
  const before = toBinary(CreateRequestSchema, message);
  requestHash(CreateRequestSchema, message);
  expect(toBinary(CreateRequestSchema, message)).toEqual(before);
});

test("stays the same in later versions, because stored hashes are compared for ever", () => {
  expect(hashOf({})).toBe("5ac6cec15652e2c3b409cd862fc30b519501d297d4fb8ef390d37d11368259f4");
});

/** A field this version does not know: number 1011, a varint. */
function withUnknown(field: number[]): string {
  const bytes = toBinary(CreateRequestSchema, fromJson(CreateRequestSchema, base));
  const message = fromBinary(CreateRequestSchema, Buffer.concat([bytes, Buffer.from(field)]));
  return requestHash(CreateRequestSchema, message);
}
