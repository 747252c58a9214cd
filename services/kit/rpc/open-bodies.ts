import { Refusal } from "../refusal.ts";
import { Counts } from "./counts.ts";

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
  const bySource = new Counts();
  let all = 0;
  const add = (source: string, more: number): void => {
    all += more;
    bySource.add(source, more);
  };
  return {
    open(source) {
      if (all >= allMax || bySource.of(source) >= perSourceMax) {
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
