import { Refusal } from "./refusal.ts";

/**
 * Refuses with ETAG_MISMATCH when the caller named another version than the present one. An empty etag asks for no
 * particular version. Quotes and the mark of weak etags do not count: `If-Match` has them, messages may not.
 */
export function checkEtag(asked: string, present: string): void {
  if (asked !== "" && bare(asked) !== bare(present)) throw new Refusal("ETAG_MISMATCH");
}

function bare(etag: string): string {
  return etag.replace(/^W\//, "").replaceAll('"', "");
}
