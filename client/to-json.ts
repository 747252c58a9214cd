import {
  createRegistry,
  type DescFile,
  type JsonValue,
  type Message,
  toJson as messageToJson,
  type Registry,
} from "@bufbuild/protobuf";
import { SERVICES } from "./services.ts";

let registry: Registry | undefined;

/**
 * A message as plain JSON, for `JSON.stringify`, a log or a page: int64 (a bigint in messages) is a decimal string,
 * times are RFC 3339, enums their names. The same as the REST and Connect APIs send. Throws a TypeError for
 * what is no message of Settle.
 */
export function toJson(message: Message): JsonValue {
  registry ??= createRegistry(...contractFiles());
  const schema = registry.getMessage(message.$typeName);
  if (schema === undefined) throw new TypeError(`${message.$typeName} is no message of Settle`);
  return messageToJson(schema, message, { registry });
}

/** The files of the services, and all that they import. */
function contractFiles(): Set<DescFile> {
  const files = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file)) return;
    files.add(file);
    file.dependencies.forEach(add);
  };
  for (const { file } of Object.values(SERVICES)) add(file);
  return files;
}
