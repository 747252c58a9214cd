import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  EvaluateRequestSchema,
  FraudService,
  SubmitDecisionRequestSchema,
} from "#gen/fraud/v1/fraud_pb.ts";
import { CreateRequestSchema, PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { violationsOf, warmValidator } from "#kit/rpc/validation.ts";

const validator = warmValidator([FraudService, PaymentService]);
const usd = (minorUnits: bigint, currencyCode = "USD") => ({ currencyCode, minorUnits });

function check(desc: DescMessage, message: Message) {
  const found = violationsOf(validator, desc, message);
  return found && { reason: found.reason, fields: found.fields.map(({ field }) => field) };
}

const evaluate = (init: object) =>
  check(
    EvaluateRequestSchema,
    create(EvaluateRequestSchema, {
      checkId: "c",
      paymentId: "p",
      accountId: "1",
      amount: usd(1n),
      ...init,
    }),
  );

test("a request without a mistake passes", () => {
  expect(evaluate({})).toBeUndefined();
});

describe("an amount", () => {
  test.each([0n, -1n, 10n ** 15n + 1n, 2n ** 63n - 1n])(
    "of %d is INVALID_AMOUNT of amount.minor_units",
    (n) => {
      expect(evaluate({ amount: usd(n) })).toEqual({
        reason: "INVALID_AMOUNT",
        fields: ["amount.minor_units"],
      });
    },
  );

  test.each(["", "usd", "US", "USDT", "U$D"])(
    "in '%s' is UNSUPPORTED_CURRENCY of amount.currency_code",
    (code) => {
      expect(evaluate({ amount: usd(1n, code) })).toEqual({
        reason: "UNSUPPORTED_CURRENCY",
        fields: ["amount.currency_code"],
      });
    },
  );

  test("that is missing is INVALID_FIELD of amount", () => {
    expect(evaluate({ amount: undefined })).toEqual({
      reason: "INVALID_FIELD",
      fields: ["amount"],
    });
  });
});

test("every mistake is named, and a reason of its own comes before INVALID_FIELD", () => {
  expect(evaluate({ checkId: "", accountId: "a b", amount: usd(0n) })).toEqual({
    reason: "INVALID_AMOUNT",
    fields: ["check_id", "account_id", "amount.minor_units"],
  });
});

test("a rule of the whole message names the field its text begins with", () => {
  const request = create(CreateRequestSchema, { amount: usd(1n) });
  expect(check(CreateRequestSchema, request)).toEqual({
    reason: "INVALID_FIELD",
    fields: ["account_id"],
  });
});

test("a oneof without a choice is named by its own name", () => {
  const request = create(SubmitDecisionRequestSchema, { decision: 1 });
  expect(check(SubmitDecisionRequestSchema, request)).toEqual({
    reason: "INVALID_FIELD",
    fields: ["subject"],
  });
});
