import { create, type DescMessage, getOption, type Message } from "@bufbuild/protobuf";
import type { Validator } from "@bufbuild/protovalidate";
import { describe, expect, test } from "vitest";
import { CreateKeyRequestSchema } from "#gen/auth/v1/keys_pb.ts";
import { field as fieldRules } from "#gen/buf/validate/validate_pb.ts";
import { Role } from "#gen/common/v1/access_pb.ts";
import {
  EvaluateRequestSchema,
  FraudService,
  SubmitDecisionRequestSchema,
  UpdateSettingsRequestSchema,
} from "#gen/fraud/v1/fraud_pb.ts";
import { CreateRequestSchema, PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { validate, violationsOf, warmValidator } from "#kit/rpc/validation.ts";
import { allServices } from "#test/support/contracts.ts";

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

describe("a list longer than its rules allow", () => {
  const refused = (desc: DescMessage, message: Message): unknown => {
    try {
      return validate(validator, desc, message);
    } catch (error) {
      return error;
    }
  };

  test("is refused by its length, before a rule looks at its entries", () => {
    const roles = Array.from({ length: 64_000 }, () => Role.PAYER);
    const request = create(CreateKeyRequestSchema, { subject: "s", roles });
    let looked = 0;
    const spy: Validator = {
      validate(...asked) {
        looked += 1;
        return validator.validate(...asked);
      },
    };
    expect(() => validate(spy, CreateKeyRequestSchema, request)).toThrow(
      expect.objectContaining({
        reason: "INVALID_FIELD",
        fields: [expect.objectContaining({ field: "roles" })],
      }),
    );
    expect(looked).toBe(0);
  });

  test("is named by its path where it lies deeper, and so is a map", () => {
    const settings = { deniedAccountIds: Array.from({ length: 10_001 }, () => "a") };
    expect(
      refused(UpdateSettingsRequestSchema, create(UpdateSettingsRequestSchema, { settings })),
    ).toMatchObject({ fields: [{ field: "settings.denied_account_ids" }] });
    const metadata = Object.fromEntries(Array.from({ length: 51 }, (_, each) => [`k${each}`, ""]));
    expect(refused(CreateRequestSchema, create(CreateRequestSchema, { metadata }))).toMatchObject({
      fields: [{ field: "metadata" }],
    });
  });

  test("is none when it is as long as it may be", () => {
    const settings = { deniedAccountIds: Array.from({ length: 10_000 }, () => "a") };
    const request = create(UpdateSettingsRequestSchema, { requestId: "r", settings });
    expect(refused(UpdateSettingsRequestSchema, request)).toBeUndefined();
  });
});

test("every list and map that a request can bring has a limit, so that none is walked without one", async () => {
  const open: string[] = [];
  const look = (desc: DescMessage, path: string): void => {
    if (desc.file.proto.package.startsWith("google.")) return;
    for (const field of desc.fields) {
      const { type } = getOption(field, fieldRules);
      const limit = type.case === "repeated" ? type.value.maxItems : 0n;
      const pairs = type.case === "map" ? type.value.maxPairs : 0n;
      const isMany = field.fieldKind === "list" || field.fieldKind === "map";
      if (isMany && limit + pairs === 0n) open.push(`${path}.${field.name}`);
      if (field.message !== undefined) look(field.message, `${path}.${field.name}`);
    }
  };
  const methods = (await allServices()).flatMap((service) => service.methods);
  for (const { input } of methods) look(input, input.name);
  expect(open).toEqual([]);
});
