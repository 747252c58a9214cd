import { createHash } from "node:crypto";
import { Refusal } from "./refusal.ts";

/** Page size when the request names none. */
export const PAGE_SIZE_DEFAULT = 50;
/** Largest page; a larger request gets this many (AIP-158). */
export const PAGE_SIZE_MAX = 1000;

/** The page size to use for a request's `page_size`. */
export function pageSize(requested: number): number {
  return requested === 0 ? PAGE_SIZE_DEFAULT : Math.min(requested, PAGE_SIZE_MAX);
}

/** Opaque token of the last row of a page, bound to the list's filter: another filter refuses it. */
export function pageToken(filter: unknown, last: readonly string[]): string {
  return Buffer.from(JSON.stringify([filterHash(filter), ...last])).toString("base64url");
}

/** The last row a token names, or undefined for the first page. Refuses with INVALID_PAGE_TOKEN. */
export function readPageToken(
  token: string,
  filter: unknown,
  parts: number,
): readonly string[] | undefined {
  if (token === "") return undefined;
  const values = parseToken(token);
  const [hash, ...last] = values;
  if (hash !== filterHash(filter) || last.length !== parts) throw invalid();
  return last;
}

function parseToken(token: string): string[] {
  const bytes = Buffer.from(token, "base64url");
  // The decoder leaves out what is no base64: only a token as it was given is one.
  if (bytes.toString("base64url") !== token) throw invalid();
  try {
    const values: unknown = JSON.parse(bytes.toString());
    if (Array.isArray(values) && values.every((value) => typeof value === "string")) return values;
  } catch {
    // Not base64 of JSON: the same answer as any other foreign token.
  }
  throw invalid();
}

function invalid(): Refusal {
  return new Refusal("INVALID_PAGE_TOKEN", {
    fields: [{ field: "page_token", description: "not a token of this list and filter" }],
  });
}

function filterHash(filter: unknown): string {
  const text = JSON.stringify(filter, (_, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}
