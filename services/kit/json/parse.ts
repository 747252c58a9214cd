import type { JsonValue } from "@bufbuild/protobuf";
import { Refusal, refuseField } from "../refusal.ts";

/** A number as it was written, where a double would not say it exactly. */
export class WrittenNumber {
  readonly source: string;
  readonly value: number;

  constructor(source: string, value: number) {
    this.source = source;
    this.value = value;
  }
}

/** JSON in which numbers that are no plain whole ones are kept as they were written. */
export type WrittenJson =
  | string
  | number
  | boolean
  | null
  | WrittenNumber
  | readonly WrittenJson[]
  | { readonly [name: string]: WrittenJson };

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const PLAIN = /^-?\d{1,15}$/;
/** Strings as wholes, so that brackets and commas inside them are not taken for the text's own. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/** Reads JSON by RFC 8259: UTF-8 without a byte order mark, and no name twice in one object. Refuses anything else. */
export function parseJson(bytes: Uint8Array): WrittenJson {
  const text = decode(bytes);
  let json: WrittenJson;
  try {
    json = JSON.parse(text, keepNumber);
  } catch (error) {
    throw malformed("the body is not valid JSON in UTF-8", error);
  }
  const twice = nameWrittenTwice(text);
  if (twice !== undefined) throw refuseField(twice.slice(0, 200), "is written twice in one object");
  return json;
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    throw malformed("the body is not valid JSON in UTF-8", error);
  }
}

function keepNumber(_name: string, value: JsonValue, context?: { readonly source?: string }) {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || PLAIN.test(source)) return value;
  return new WrittenNumber(source, value);
}

/** `JSON.parse` keeps the last of several values of a name, so only the text tells. The text is valid JSON here. */
function nameWrittenTwice(text: string): string | undefined {
  const open: (Set<string> | null)[] = [];
  let nameIsNext = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const names = open.at(-1);
    if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : null);
      nameIsNext = token === "{";
    } else if (token === "}" || token === "]") {
      open.pop();
      nameIsNext = false;
    } else if (token === ",") nameIsNext = names instanceof Set;
    else if (nameIsNext && names) {
      const name: string = JSON.parse(token);
      if (names.has(name)) return name;
      names.add(name);
      nameIsNext = false;
    }
  }
  return undefined;
}

function malformed(message: string, cause: unknown): Refusal {
  return new Refusal("MALFORMED_MESSAGE", { message, cause });
}
