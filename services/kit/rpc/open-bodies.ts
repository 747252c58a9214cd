import { Refusal } from "../refusal.ts";

/** Bodies that are being read from callers nobody knows yet. */
export interface OpenBodies {
  /** Counts one more of an address; answers what to call when it is read. Fails with RATE_LIMITED. */
  open(source: string): () => void;
}

/** Bodies under way from one address, and from all. An honest sender's body is here within milliseconds. */
const PER_SOURCE_MAX = 64;
const ALL_MAX = 512;
/** When a refused caller may come again, in milliseconds. */
const RETRY_MS = 1_000;

/** Who cannot be asked for a key before its body is read is held to a number of bodies at once. */
export function createOpenBodies(perSourceMax = PER_SOURCE_MAX, allMax = ALL_MAX): OpenBodies {
  const bySource = new Map<string, number>();
  let all = 0;
  const add = (source: string, more: number): void => {
    const count = (bySource.get(source) ?? 0) + more;
    all += more;
    if (count === 0) bySource.delete(source);
    else bySource.set(source, count);
  };
  return {
    open(source) {
      if (all >= allMax || (bySource.get(source) ?? 0) >= perSourceMax) {
        throw new Refusal("RATE_LIMITED", {
          message: "too many bodies from this address are under way; send them one after another",
          metadata: { limit: "bodies", allowed: `${perSourceMax}` },
          retryAfterMs: RETRY_MS,
        });
      }
      add(source, 1);
      let open = true;
      return () => {
        if (open) add(source, -1);
        open = false;
      };
    },
  };
}
