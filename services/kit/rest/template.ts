import { refuseField } from "../refusal.ts";

/** One segment of a path template. */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "rest" };

/** A request field that takes the segments `from` up to, not including, `to`. */
export interface Variable {
  /** Field path, for example `["account", "account_id"]`. */
  readonly path: readonly string[];
  readonly from: number;
  readonly to: number;
  /** Takes several segments, so that reserved characters stay percent-encoded. */
  readonly multi: boolean;
}

/** A path template of google.api.http, taken apart. */
export interface Template {
  readonly text: string;
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  /** Custom verb without its colon, or empty. */
  readonly verb: string;
}

const LITERAL = /[^/{}*:=?#\s]+/y;
const FIELD_PATH = /[A-Za-z_]\w*(\.[A-Za-z_]\w*)*/y;

/** RFC 6570 reserved characters in percent-encoding; a variable of several segments keeps them as they are. */
const RESERVED = /(%(?:21|23|24|26|27|28|29|2A|2B|2C|2F|3A|3B|3D|3F|40|5B|5D))/i;

/** Parses a template by the grammar in google/api/http.proto. Throws on one that is not valid: a bug of the contract. */
export function parseTemplate(text: string): Template {
  return new TemplateParser(text).parse();
}

/**
 * Field values by path (joined with dots) when the raw path fits the template, else undefined. The path has no query;
 * it is decoded here. Refuses percent-encoding in a variable that is not UTF-8.
 */
export function matchTemplate(
  template: Template,
  path: string,
): ReadonlyMap<string, string> | undefined {
  const end = template.verb === "" ? path.length : path.length - template.verb.length - 1;
  if (template.verb !== "" && path.slice(Math.max(end, 0)) !== `:${template.verb}`)
    return undefined;
  const parts = path.slice(0, end).split("/").slice(1);
  if (!fits(template.segments, parts)) return undefined;
  return new Map(
    template.variables.map(({ path: field, from, to, multi }) => {
      const name = field.join(".");
      const isLast = to === template.segments.length;
      const raw = parts.slice(from, isLast ? undefined : to).join("/");
      return [name, decode(name, raw, multi)];
    }),
  );
}

function fits(segments: readonly Segment[], parts: readonly string[]): boolean {
  const open = segments.at(-1)?.kind === "rest";
  const needed = open ? segments.length - 1 : segments.length;
  if (open ? parts.length < needed : parts.length !== needed) return false;
  return segments.slice(0, needed).every((segment, at) => {
    const part = parts[at] ?? "";
    return segment.kind === "literal" ? sameLiteral(segment.text, part) : part !== "";
  });
}

function sameLiteral(literal: string, part: string): boolean {
  if (literal === part) return true;
  if (!part.includes("%") && !literal.includes("%")) return false;
  try {
    return decodeURIComponent(literal) === decodeURIComponent(part);
  } catch {
    return false;
  }
}

function decode(field: string, raw: string, multi: boolean): string {
  try {
    if (!multi) return decodeURIComponent(raw);
    const parts = raw.split(RESERVED);
    return parts.map((part, at) => (at % 2 === 1 ? part : decodeURIComponent(part))).join("");
  } catch {
    throw refuseField(field, "the path is not percent-encoded UTF-8");
  }
}

class TemplateParser {
  readonly #text: string;
  readonly #segments: Segment[] = [];
  readonly #variables: Variable[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Template {
    this.#expect("/");
    this.#readSegments(true);
    const verb = this.#take(":") ? this.#read(LITERAL) : "";
    if (this.#at < this.#text.length) this.#fail("unexpected character");
    const rest = this.#segments.findIndex((segment) => segment.kind === "rest");
    if (rest >= 0 && rest < this.#segments.length - 1) this.#fail("** must be the last segment");
    return { text: this.#text, segments: this.#segments, variables: this.#variables, verb };
  }

  #readSegments(variables: boolean): void {
    do {
      if (this.#take("**")) this.#segments.push({ kind: "rest" });
      else if (this.#take("*")) this.#segments.push({ kind: "one" });
      else if (variables && this.#take("{")) this.#readVariable();
      else this.#segments.push({ kind: "literal", text: this.#read(LITERAL) });
    } while (this.#take("/"));
  }

  #readVariable(): void {
    const path = this.#read(FIELD_PATH).split(".");
    const from = this.#segments.length;
    if (this.#take("=")) this.#readSegments(false);
    else this.#segments.push({ kind: "one" });
    this.#expect("}");
    const to = this.#segments.length;
    const multi = to - from > 1 || this.#segments[from]?.kind === "rest";
    if (this.#variables.some((known) => known.path.join(".") === path.join("."))) {
      this.#fail(`${path.join(".")} is bound twice`);
    }
    this.#variables.push({ path, from, to, multi });
  }

  #read(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return this.#fail("a segment or a name is missing");
    this.#at += found.length;
    return found;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#fail(`${text} is missing`);
  }

  #fail(why: string): never {
    throw new Error(`path template ${this.#text}: ${why} at ${this.#at}`);
  }
}
