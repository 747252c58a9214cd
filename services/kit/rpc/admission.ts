import { Refusal } from "../refusal.ts";
import { refilled } from "./token-bucket.ts";

/** What one credential may take of one port. 0 means no limit. */
export interface CallerLimits {
  /** Calls per second, on the average. Default 0. */
  readonly perSecond: number;
  /** Calls at once after a pause. Default two seconds' worth. */
  readonly burst: number;
  /** Calls that run at the same time, streams included. Default 0. */
  readonly inFlight: number;
}

/** Counts the calls of each credential in this process. */
export interface Admission {
  /** Lets a call in; answers what to call when it has ended. Fails with RATE_LIMITED, before any effect. */
  enter(credential: string): () => void;
}

/** Credential of Settle's own services: to hold back a saga because its caller is busy would hold back money. */
const UNLIMITED = "service";
/** When a caller over its limit in flight may look again, in milliseconds. */
const IN_FLIGHT_RETRY_MS = 100;
/** From here on callers who have been quiet are forgotten; a full bucket says as much as none. */
const CALLERS_KEPT = 10_000;

type Limit = "rate" | "in_flight";

interface Bucket {
  tokens: number;
  timeMs: number;
  running: number;
}

/** Counts by token buckets. `nowMs` is a monotonic clock; tests move it. `onShed` hears of each refusal. */
export function createAdmission(
  limits: CallerLimits,
  nowMs: () => number = () => performance.now(),
  onShed: (limit: Limit) => void = () => undefined,
): Admission {
  const buckets = new Map<string, Bucket>();
  let look = CALLERS_KEPT;
  const unlimited = limits.perSecond === 0 && limits.inFlight === 0;
  return {
    enter(credential) {
      if (unlimited || credential === UNLIMITED) return () => undefined;
      if (buckets.size >= look) {
        forgetQuiet(buckets, limits, nowMs());
        // Looked at again when as many have come, so that a crowd of busy callers costs one look and not one a call.
        look = Math.max(CALLERS_KEPT, buckets.size * 2);
      }
      const bucket = bucketOf(buckets, credential, limits, nowMs());
      if (limits.inFlight > 0 && bucket.running >= limits.inFlight) {
        onShed("in_flight");
        throw limited("in_flight", limits.inFlight, IN_FLIGHT_RETRY_MS);
      }
      if (limits.perSecond > 0) {
        if (bucket.tokens < 1) {
          const waitMs = Math.ceil(((1 - bucket.tokens) * 1_000) / limits.perSecond);
          onShed("rate");
          throw limited("rate", limits.perSecond, waitMs);
        }
        bucket.tokens -= 1;
      }
      bucket.running += 1;
      return once(() => {
        bucket.running -= 1;
      });
    },
  };
}

function bucketOf(
  buckets: Map<string, Bucket>,
  credential: string,
  limits: CallerLimits,
  nowMs: number,
): Bucket {
  const found = buckets.get(credential);
  if (found === undefined) {
    const fresh = { tokens: limits.burst, timeMs: nowMs, running: 0 };
    buckets.set(credential, fresh);
    return fresh;
  }
  found.tokens = tokensAt(found, limits, nowMs);
  found.timeMs = nowMs;
  return found;
}

function tokensAt(bucket: Bucket, limits: CallerLimits, nowMs: number): number {
  return refilled(bucket.tokens, nowMs - bucket.timeMs, limits);
}

function forgetQuiet(buckets: Map<string, Bucket>, limits: CallerLimits, nowMs: number): void {
  for (const [credential, bucket] of buckets) {
    const full = tokensAt(bucket, limits, nowMs) >= limits.burst;
    if (full && bucket.running === 0) buckets.delete(credential);
  }
}

function limited(limit: Limit, allowed: number, retryAfterMs: number): Refusal {
  return new Refusal("RATE_LIMITED", {
    metadata: { limit, allowed: `${allowed}` },
    retryAfterMs,
  });
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
