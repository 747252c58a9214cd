import { Refusal } from "../refusal.ts";
import { refilled } from "./token-bucket.ts";

/**
 * Counts refused credentials by the address they come from. Who is refused too often is refused as RATE_LIMITED, and its
 * API keys are not looked up until its bucket fills; one that was good a while ago is, for many share an address.
 */
export interface Strangers {
  /** Fails with RATE_LIMITED when the address was refused too often and the credentials were not good before. */
  check(source: string, credentials: string): void;
  refused(source: string): void;
  accepted(credentials: string): void;
}

/** Refusals of one address that cost it nothing: per second on the average, and at once. */
const REFUSALS = { perSecond: 10, burst: 100 };
/** Addresses and credentials remembered; the oldest go first. */
const KEPT_MAX = 10_000;
/** How long credentials that were good are remembered, in milliseconds. */
const GOOD_MS = 600_000;

interface Bucket {
  tokens: number;
  timeMs: number;
}

/** `nowMs` is a monotonic clock; tests move it. Credentials are texts that nobody can turn back: hashes. */
export function createStrangers(
  nowMs: () => number = () => performance.now(),
  onShed: () => void = () => undefined,
): Strangers {
  const buckets = new Map<string, Bucket>();
  const good = new Map<string, number>();
  const tokensOf = (source: string): number => {
    const bucket = buckets.get(source);
    if (bucket === undefined) return REFUSALS.burst;
    return refilled(bucket.tokens, nowMs() - bucket.timeMs, REFUSALS);
  };
  return {
    check(source, credentials) {
      const tokens = tokensOf(source);
      if (tokens >= 1 || nowMs() < (good.get(credentials) ?? 0)) return;
      onShed();
      throw new Refusal("RATE_LIMITED", {
        message: "too many calls from this address were refused; retry after the delay",
        metadata: { limit: "refusals", allowed: `${REFUSALS.perSecond}` },
        retryAfterMs: Math.ceil(((1 - tokens) * 1_000) / REFUSALS.perSecond),
      });
    },
    refused(source) {
      const tokens = Math.max(0, tokensOf(source) - 1);
      put(buckets, source, { tokens, timeMs: nowMs() });
    },
    accepted(credentials) {
      put(good, credentials, nowMs() + GOOD_MS);
    },
  };
}

/** Newest last, so that the oldest is dropped first. */
function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEPT_MAX && oldest !== undefined) map.delete(oldest);
}
