import type { KeyRow } from "./key-store.ts";

/** How long a key that was read is believed, in milliseconds: a revoked key works at most this long. */
export const KEY_CACHE_MS = 5_000;

/** Most keys kept; an attacker who makes ids up must not fill the memory. */
const ENTRIES_MAX = 10_000;

/** A secret that does not fit what was read asks again, for it may be newer; per key at most this often, in milliseconds. */
const REFRESH_MS = 1_000;

interface Entry {
  readonly row: Promise<KeyRow | undefined>;
  readonly untilMs: number;
  readonly refreshedMs: number;
}

/** Reads a key; `refresh` does not trust what was read before. */
export type FindKey = (id: string, how?: "refresh") => Promise<KeyRow | undefined>;

/** Reads keys by id; unknown ids are remembered too, and calls at the same time share one read. */
export function cacheKeys(
  read: (id: string) => Promise<KeyRow | undefined>,
  nowMs: () => number = Date.now,
): FindKey {
  const entries = new Map<string, Entry>();
  return (id, how) => {
    const now = nowMs();
    const known = entries.get(id);
    const isFresh = known !== undefined && now < known.untilMs;
    const asksAgain = how === "refresh" && now >= (known?.refreshedMs ?? 0) + REFRESH_MS;
    if (isFresh && !asksAgain) return known.row;
    // Taken out first: a map keeps the order of insertion, so the oldest entry is the first one.
    entries.delete(id);
    const row = read(id);
    const refreshedMs = asksAgain ? now : (known?.refreshedMs ?? 0);
    const entry = { row, untilMs: now + KEY_CACHE_MS, refreshedMs };
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
