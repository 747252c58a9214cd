import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { isReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { field as fieldRules } from "#gen/buf/validate/validate_pb.ts";
import { type Refusal, refuseField } from "../refusal.ts";

type Reflected = ReturnType<typeof reflect>;

/** A field that is a list or a map, or a message that may hold one. */
interface Part {
  readonly field: DescField;
  /** Most entries by the contract; undefined where it names no limit. */
  readonly max: number | undefined;
}

const parts = new WeakMap<DescMessage, readonly Part[]>();

/**
 * The refusal of a list or map that has more entries than its rules allow, or undefined. Rules for entries are checked
 * entry by entry, so that a long list would block the process before its length is found wrong: this looks at lengths only.
 */
export function tooLong(desc: DescMessage, message: Message, path = ""): Refusal | undefined {
  const reflected = reflect(desc, message);
  for (const { field, max } of partsOf(desc)) {
    const name = `${path}${field.name}`;
    const size = max === undefined ? 0 : sizeOf(reflected, field);
    if (max !== undefined && size > max) {
      return refuseField(name, `must contain no more than ${max} item(s), not ${size}`);
    }
    const inner = insideOf(reflected, field, name);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function partsOf(desc: DescMessage): readonly Part[] {
  const known = parts.get(desc);
  if (known !== undefined) return known;
  const found = desc.fields
    .filter(({ fieldKind }) => fieldKind !== "scalar" && fieldKind !== "enum")
    .map((field) => ({ field, max: maxOf(field) }));
  parts.set(desc, found);
  return found;
}

function maxOf(field: DescField): number | undefined {
  if (!hasOption(field, fieldRules)) return undefined;
  const { type } = getOption(field, fieldRules);
  const isLimited = (limit: bigint): boolean => limit > 0n;
  if (type.case === "repeated" && isLimited(type.value.maxItems))
    return Number(type.value.maxItems);
  if (type.case === "map" && isLimited(type.value.maxPairs)) return Number(type.value.maxPairs);
  return undefined;
}

function sizeOf(message: Reflected, field: DescField): number {
  if (field.fieldKind === "list") return message.get(field).size;
  return field.fieldKind === "map" ? message.get(field).size : 0;
}

/** The same for messages inside of a field, whose list is known to be short. */
function insideOf(message: Reflected, field: DescField, name: string): Refusal | undefined {
  if (field.fieldKind === "message") {
    if (!message.isSet(field)) return undefined;
    return tooLong(field.message, message.get(field).message, `${name}.`);
  }
  if (field.fieldKind !== "list" || field.listKind !== "message") return undefined;
  for (const [at, item] of [...message.get(field)].entries()) {
    if (!isReflectMessage(item)) continue;
    const inner = tooLong(field.message, item.message, `${name}[${at}].`);
    if (inner !== undefined) return inner;
  }
  return undefined;
}
