import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type FieldRules, field as rulesOption } from "#gen/buf/validate/validate_pb.ts";
import type { Random } from "./random.ts";

/** Ids that exist, by the name of the field they go into; the order is that in which they were made. */
export type KnownIds = Readonly<Record<string, readonly string[]>>;

/** How deep messages are filled; ours are not deeper. */
const DEPTH_MAX = 5;
/** Few names, so that calls meet each other's holds, transfers and checks. */
const NAMES = 40;

/** A message that keeps the rules of its proto as far as the generator knows them. */
export function validMessage(random: Random, desc: DescMessage, known: KnownIds): Message {
  return fill(random, desc, known, DEPTH_MAX).message;
}

function fill(random: Random, desc: DescMessage, known: KnownIds, depth: number): ReflectMessage {
  const message = reflect(desc);
  if (desc.typeName === "google.protobuf.Timestamp") return timestamp(random, message);
  if (desc.typeName === "google.protobuf.Duration") return duration(random, message);
  const chosen = new Set(desc.oneofs.map((oneof) => random.pick(oneof.fields)));
  for (const field of desc.fields) {
    if (field.oneof !== undefined && !chosen.has(field)) continue;
    const rules = rulesOf(field);
    if (depth === 0 || (!isNeeded(field, rules) && random.chance(0.4))) continue;
    setValid(random, message, field, known, depth);
  }
  return exclusive(random, message);
}

/** Pairs of which exactly one may be set are said by rules of the whole message, which are programs. */
function exclusive(random: Random, message: ReflectMessage): ReflectMessage {
  for (const pair of [
    ["account_id", "user_id"],
    ["payment_id", "workflow_id"],
  ]) {
    const fields = pair.map((name) => message.fields.find((field) => field.name === name));
    const [first, second] = fields;
    if (first === undefined || second === undefined) continue;
    message.clear(random.chance(0.8) ? second : first);
  }
  return message;
}

function setValid(
  random: Random,
  message: ReflectMessage,
  field: DescField,
  known: KnownIds,
  depth: number,
): void {
  switch (field.fieldKind) {
    case "message":
      message.set(field, fill(random, field.message, known, depth - 1));
      break;
    case "enum":
      message.set(field, enumNumber(random, field.enum));
      break;
    case "scalar":
      message.set(field, scalarValue(random, field, known));
      break;
    case "list":
      for (let count = random.int(3); count > 0; count -= 1) {
        const list = message.get(field);
        if (field.listKind === "message") list.add(fill(random, field.message, known, depth - 1));
        else if (field.listKind === "scalar") list.add(scalarValue(random, field, known));
        else list.add(enumNumber(random, field.enum));
      }
      break;
    case "map":
      for (let count = random.int(3); count > 0; count -= 1) {
        if (field.mapKind === "scalar") message.get(field).set(`key${count}`, `value ${count}`);
      }
  }
}

function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, rulesOption) ? getOption(field, rulesOption) : undefined;
}

function isNeeded(field: DescField, rules: FieldRules | undefined): boolean {
  if (rules?.required || field.oneof !== undefined) return true;
  return field.name.endsWith("_id") || field.name.endsWith("_key") || field.parent.name === "Money";
}

function enumNumber(random: Random, desc: DescEnum): number {
  // Behaviours that never answer would only make the fuzzer wait.
  const quick = desc.values.filter(
    ({ name }) => !/^BEHAVIOUR_(HANG|LATE_CALLBACK|NO_CALLBACK)$/.test(name),
  );
  return random.pick(quick).number;
}

function scalarValue(
  random: Random,
  field: DescField & { readonly scalar: ScalarType },
  known: KnownIds,
): string | number | bigint | boolean | Uint8Array {
  switch (field.scalar) {
    case ScalarType.STRING:
      return stringValue(random, field, known);
    case ScalarType.BOOL:
      return random.chance(0.5);
    case ScalarType.BYTES:
      return random.bytes(random.int(16));
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return BigInt(1 + random.int(500));
    default:
      return random.int(field.name === "page_size" ? 20 : 3);
  }
}

function stringValue(random: Random, field: DescField, known: KnownIds): string {
  const ids = namesOf(field, known);
  if (ids !== undefined && ids.length > 0 && random.chance(0.85)) return random.pick(ids);
  switch (field.name) {
    case "currency_code":
      return random.pick(["USD", "USD", "USD", "EUR", "XTS", "JPY"]);
    case "token":
      return `tok_${random.int(9)}`;
    case "page_token":
    case "resume_token":
    case "filter":
    case "order_by":
    case "etag":
      return "";
    case "recipient":
      return "somebody@example.com";
    default:
      return `fuzz-${random.int(NAMES)}`;
  }
}

/** Who sends messages is a service and to be believed: one that tells a payment's end itself is what the audit finds. */
function namesOf(field: DescField, known: KnownIds): readonly string[] | undefined {
  const told = field.parent.typeName === "notification.v1.SendRequest";
  return told && field.name === "payment_id" ? undefined : known[field.name];
}

function timestamp(random: Random, message: ReflectMessage): ReflectMessage {
  const [seconds] = message.fields;
  if (seconds?.fieldKind === "scalar") message.set(seconds, BigInt(random.int(4_000_000_000)));
  return message;
}

/** Milliseconds only: a longer wait is asked for by mutations. */
function duration(random: Random, message: ReflectMessage): ReflectMessage {
  const nanos = message.fields[1];
  if (nanos?.fieldKind === "scalar") message.set(nanos, random.int(200) * 1_000_000);
  return message;
}
