import type { KeyRow } from "./key-store.ts";

/** How long a key that was read is believed, in milliseconds: a revoked key works at most this long. */
export const KEY_CACHE_MS = 5_000;

/** Most keys kept; an attacker who makes ids up must not fill the memory. */
const ENTRIES_MAX = 10_000;

interface Entry {
  readonly row: Promise<KeyRow | undefined>;
  readonly untilMs: number;
}

/** Reads keys by id; unknown ids are remembered too, and calls at the same time share one read. */
export function cacheKeys(
  read: (id: string) => Promise<KeyRow | undefined>,
  nowMs: () => number = Date.now,
): (id: string) => Promise<KeyRow | undefined> {
  const entries = new Map<string, Entry>();
  return (id) => {
    const known = entries.get(id);
    if (known !== undefined && nowMs() < known.untilMs) return known.row;
    // Taken out first: a map keeps the order of insertion, so the oldest entry is the first one.
    entries.delete(id);
    const row = read(id);
    const entry = { row, untilMs: nowMs() + KEY_CACHE_MS };
    entries.set(id, entry);
    row.catch(() => {
      if (entries.get(id) === entry) entries.delete(id);
    });
    for (const oldest of entries.keys()) {
      if (entries.size <= ENTRIES_MAX) break;
      entries.delete(oldest);
    }
    return row;
  };
}
