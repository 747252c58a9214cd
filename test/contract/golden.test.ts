import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type DescFile, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  isReflectList,
  isReflectMap,
  isReflectMessage,
  nestedTypes,
  type ReflectMessage,
  reflect,
} from "@bufbuild/protobuf/reflect";
import { describe, expect, test } from "vitest";
import { withDependencies } from "#kit/rpc/descriptors.ts";
import { canonicalMessage } from "../support/golden.ts";

const GOLDEN = path.join(import.meta.dirname, "golden");
const GEN = path.resolve(import.meta.dirname, "../../gen");
/** Adds the bytes of messages that have none yet; those that are there are never written again. */
const ADD = process.env["SETTLE_GOLDEN"] === "add";
/** Contracts of others: their owners keep them. */
const FOREIGN = /^(google|grpc|buf)\//;

const messages = await ownMessages();

describe.each(messages.map((desc) => [desc.typeName, desc] as const))("%s", (name, desc) => {
  const file = path.join(GOLDEN, `${name}.bin`);

  test("is read from the bytes that earlier releases wrote, and written as they wrote it", () => {
    if (ADD && !readdirSync(GOLDEN).includes(`${name}.bin`)) {
      writeFileSync(file, toBinary(desc, canonicalMessage(desc)));
    }
    const golden = readFileSync(file);
    const message = fromBinary(desc, golden);
    // An unknown field would survive the round trip, so a field that was renumbered shows up here.
    expect(message.$unknown ?? []).toEqual([]);
    expect(Buffer.from(toBinary(desc, message)).toString("hex")).toBe(golden.toString("hex"));
  });

  test("still has every field of those bytes with its name, number and type", () => {
    const golden = plain(reflect(desc, fromBinary(desc, readFileSync(file))));
    // Today's instance may have more: fields that were added since.
    expect(plain(reflect(desc, canonicalMessage(desc)))).toMatchObject(golden);
  });
});

test("there are no bytes of messages that are gone", () => {
  const names = new Set(messages.map(({ typeName }) => `${typeName}.bin`));
  expect(readdirSync(GOLDEN).filter((file) => !names.has(file))).toEqual([]);
});

/** The set fields by name, all the way down: what a reader makes of the bytes. */
function plain(message: ReflectMessage): Record<string, unknown> {
  const set = message.fields.filter((field) => message.isSet(field));
  return Object.fromEntries(set.map((field) => [field.name, plainValue(message.get(field))]));
}

function plainValue(value: unknown): unknown {
  if (isReflectMessage(value)) return plain(value);
  if (isReflectList(value)) return [...value].map(plainValue);
  if (isReflectMap(value))
    return Object.fromEntries([...value].map(([key, item]) => [key, plainValue(item)]));
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}

async function ownMessages(): Promise<DescMessage[]> {
  const files = readdirSync(GEN, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith("_pb.ts") && !FOREIGN.test(file),
  );
  const found = new Map<string, DescMessage>();
  for (const file of files) {
    const module: Record<string, unknown> = await import(path.join(GEN, file));
    for (const exported of Object.values(module)) {
      if (!isFile(exported)) continue;
      for (const own of withDependencies(exported).filter(({ name }) => !FOREIGN.test(name))) {
        for (const type of nestedTypes(own))
          if (type.kind === "message") found.set(type.typeName, type);
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
}

function isFile(value: unknown): value is DescFile {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}
