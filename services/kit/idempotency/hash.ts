import { createHash } from "node:crypto";
import { clone, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  isReflectMessage,
  type ReflectMap,
  type ReflectMessage,
  reflect,
} from "@bufbuild/protobuf/reflect";

/**
 * SHA-256 (hex) of what a request asks for, the same for every way to write it down: fields in number order, map
 * entries sorted by key, defaults left out, unknown fields as their bytes, in nested messages likewise. Left out are
 * the request's own `request_id` and `wait_*` fields, which say how to call and not what for, and the further
 * top-level fields named (by their proto names). A field added later does not change the hash of a request without it.
 */
export function requestHash<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  excludedFieldNames: readonly string[] = [],
): string {
  const copy = clone(schema, message);
  const request = reflect(schema, copy);
  for (const field of schema.fields) {
    const { name } = field;
    const excluded = name === "request_id" || name.startsWith("wait_");
    if (excluded || excludedFieldNames.includes(name)) request.clear(field);
  }
  canonicalize(request);
  // The writer goes by field number and leaves defaults out; only the order of map entries is the sender's.
  return createHash("sha256").update(toBinary(schema, copy)).digest("hex");
}

function canonicalize(message: ReflectMessage): void {
  message.getUnknown()?.sort((a, b) => a.no - b.no);
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (field.fieldKind === "message") {
      const child = message.get(field);
      canonicalize(child);
      message.set(field, child);
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const item of message.get(field)) if (isReflectMessage(item)) canonicalize(item);
    } else if (field.fieldKind === "map") {
      sortEntries(message.get(field));
    }
  }
}

function sortEntries(map: ReflectMap): void {
  const entries = [...map].sort(([a], [b]) => compareKeys(a, b));
  map.clear();
  for (const [key, value] of entries) {
    if (isReflectMessage(value)) canonicalize(value);
    map.set(key, value);
  }
}

/** By the key's text: any order will do that is the same for every sender. */
function compareKeys(a: unknown, b: unknown): number {
  const [left, right] = [String(a), String(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
