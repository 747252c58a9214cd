import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { isRequired, rulesOf, typeRules } from "./rules.ts";

/** Fields shown with a value of their own, by the name of the field; ids are those of the demo accounts. */
const VALUES: Readonly<Record<string, JsonValue>> = {
  // A new one where an account is opened, else that of a demo account.
  "account.v1.Account.account_id": "shop-1",
  // One of two ways to say it, so neither is required by a rule of its own.
  "payment.v1.CreateRequest.amount": { currencyCode: "USD", minorUnits: "250" },
  account_id: "1",
  destination_account_id: "provider:mock:USD",
  currency_code: "USD",
  minor_units: "250",
  payment_id: "0197f0a0-0000-7000-8000-000000000001",
  refund_id: "0197f0a0-0000-7000-8000-000000000002",
  token: "tok_visa",
  url: "https://merchant.example/settle",
  email: "payer@example.com",
  phone: "+12025550123",
  key_id: "k1",
  page_size: 10,
};

/** Fields that are left out: they have a default, and an example is to be short. */
const LEFT_OUT =
  /^(page_token|filter|order_by|etag|resume_token|metadata|description|wait_timeout|user_id|workflow_id|payment_method|capture_mode)$/;

/** A request of this kind that passes its rules: what is required, and what a first try needs. */
export function exampleOf(message: DescMessage, depth = 0): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    shownFields(message).map((field) => [field.jsonName, exampleValue(field, depth)]),
  );
}

function shownFields(message: DescMessage): DescField[] {
  const isPaged = message.fields.some(({ name }) => name === "page_token");
  return message.fields.filter((field) => {
    if (field.oneof) return isRequired(field.oneof) && field.oneof.fields[0] === field;
    if (ownValue(field) !== undefined || mustBeSet(field) || field.name === "request_id")
      return true;
    if (isPaged) return field.name === "page_size";
    if (LEFT_OUT.test(field.name)) return false;
    return field.fieldKind === "scalar" && field.name in VALUES;
  });
}

function mustBeSet(field: DescField): boolean {
  const rules = rulesOf(field);
  if (!rules) return false;
  if (rules.required) return true;
  const named = new Map(typeRules(rules).map(({ name, value }) => [name, value]));
  const pattern = named.get("pattern");
  return (
    named.has("min_len") ||
    named.has("min_items") ||
    (pattern !== undefined && !new RegExp(pattern).test("")) ||
    (field.fieldKind === "enum" && (named.has("in") || named.get("not_in") === "0"))
  );
}

function ownValue(field: DescField): JsonValue | undefined {
  return VALUES[`${field.parent.typeName}.${field.name}`];
}

function exampleValue(field: DescField, depth: number): JsonValue {
  const own = ownValue(field);
  if (own !== undefined) return own;
  switch (field.fieldKind) {
    case "message":
      if (field.message.typeName === "google.protobuf.Timestamp") return "2026-01-31T12:00:00Z";
      if (field.message.typeName === "google.protobuf.Duration") return "5s";
      return { ...exampleOf(field.message, depth + 1) };
    case "enum":
      return enumName(field.enum);
    case "list":
      return field.listKind === "message"
        ? [{ ...exampleOf(field.message, depth + 1) }]
        : [field.listKind === "enum" ? 1 : (VALUES[field.name] ?? `${field.name}-1`)];
    case "map":
      return {};
    case "scalar":
      return (
        VALUES[`${field.parent.typeName}.${field.name}`] ??
        VALUES[field.name] ??
        scalar(field.scalar, field.name)
      );
  }
}

function enumName(desc: DescEnum): JsonValue {
  return desc.values.find(({ number }) => number !== 0)?.name ?? 0;
}

function scalar(type: ScalarType, name: string): JsonValue {
  switch (type) {
    case ScalarType.STRING:
      return `${name.replace(/_id$|_key$/, "").replaceAll("_", "-")}-1`;
    case ScalarType.BOOL:
      return true;
    case ScalarType.BYTES:
      return "AQ==";
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return "1";
    default:
      return 1;
  }
}
