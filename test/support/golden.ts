import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";

/** Deeper than any message of ours; messages that hold themselves end here. */
const DEPTH_MAX = 4;

/** The one instance of a message that golden bytes are made of: every field set, each to a value of its own name. */
export function canonicalMessage(desc: DescMessage): Message {
  return fill(desc, DEPTH_MAX).message;
}

function fill(desc: DescMessage, depth: number): ReflectMessage {
  const message = reflect(desc);
  for (const field of desc.fields) {
    // Of a oneof only the last is kept anyway; the first says as much about the numbers as any.
    if (field.oneof !== undefined && field.oneof.fields[0] !== field) continue;
    setField(message, field, depth);
  }
  return message;
}

function setField(message: ReflectMessage, field: DescField, depth: number): void {
  switch (field.fieldKind) {
    case "scalar":
      message.set(field, scalar(field.scalar, field.name));
      break;
    case "enum":
      message.set(field, namedNumber(field.enum.values));
      break;
    case "message":
      if (depth > 0) message.set(field, fill(field.message, depth - 1));
      break;
    case "list": {
      const list = message.get(field);
      if (field.listKind === "scalar") list.add(scalar(field.scalar, field.name));
      else if (field.listKind === "enum") list.add(namedNumber(field.enum.values));
      else if (depth > 0) list.add(fill(field.message, depth - 1));
      break;
    }
    case "map": {
      const map = message.get(field);
      const key = field.mapKey === ScalarType.STRING ? `key of ${field.name}` : field.number;
      if (field.mapKind === "scalar") map.set(key, scalar(field.scalar, field.name));
      else if (field.mapKind === "enum") map.set(key, namedNumber(field.enum.values));
      else if (depth > 0) map.set(key, fill(field.message, depth - 1));
    }
  }
}

/** The first value that is not the unspecified one, so that a new value at the end changes no golden bytes. */
function namedNumber(values: readonly { readonly number: number }[]): number {
  return values[1]?.number ?? values[0]?.number ?? 0;
}

/** Different for each name, so that two fields that changed places are noticed. */
function numberOf(name: string): number {
  return [...name].reduce(
    (sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003,
    7,
  );
}

function scalar(type: ScalarType, name: string): string | number | bigint | boolean | Uint8Array {
  const number = numberOf(name);
  switch (type) {
    case ScalarType.STRING:
      return `${name} é`;
    case ScalarType.BYTES:
      return Uint8Array.of(number % 256, 0xff, 0x00);
    case ScalarType.BOOL:
      return true;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return number + 0.5;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return -(2n ** 53n) - BigInt(number);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return 2n ** 63n + BigInt(number);
    default:
      return number;
  }
}
