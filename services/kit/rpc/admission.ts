import { Refusal } from "../refusal.ts";
import { refilled } from "./token-bucket.ts";

/** What one credential may take of one port. 0 means no limit. */
export interface CallerLimits {
  /** Calls per second, on the average. Default 0. */
  readonly perSecond: number;
  /** Calls at once after a pause. Default two seconds' worth. */
  readonly burst: number;
  /** Calls that run at the same time. Default 0. */
  readonly inFlight: number;
  /** Calls that wait for something to happen, and streams, at the same time. Default 0. */
  readonly waiting: number;
}

/** How a call is counted. */
export interface Kind {
  /** Calls of the control lane have a count of their own: who is over its rate can still revoke its key. */
  readonly control: boolean;
  /** A stream waits from its start. */
  readonly stream: boolean;
}

/** The place of a call. Both may be called again, without effect. */
export interface Admitted {
  /** The call begins to wait: it no longer counts as running, where its caller may have one more that waits. */
  wait(): void;
  leave(): void;
}

/** Counts the calls of each credential in this process. */
export interface Admission {
  /** Lets a call in. Fails with RATE_LIMITED, before any effect. */
  enter(credential: string, kind?: Kind): Admitted;
}

/** Credential of Settle's own services: to hold back a saga because its caller is busy would hold back money. */
const UNLIMITED = "service";
/** When a caller over its limit in flight may look again, in milliseconds. */
const IN_FLIGHT_RETRY_MS = 100;
/** From here on callers who have been quiet are forgotten; a full bucket says as much as none. */
const CALLERS_KEPT = 10_000;

const ORDINARY: Kind = { control: false, stream: false };
const FREE: Admitted = { wait: () => undefined, leave: () => undefined };

type Limit = "rate" | "in_flight" | "waiting";
type Count = "running" | "waiting";

interface Bucket {
  tokens: number;
  timeMs: number;
  running: number;
  waiting: number;
}

/** Counts by token buckets. `nowMs` is a monotonic clock; tests move it. `onShed` hears of each refusal. */
export function createAdmission(
  limits: CallerLimits,
  nowMs: () => number = () => performance.now(),
  onShed: (limit: Limit) => void = () => undefined,
): Admission {
  const buckets = new Map<string, Bucket>();
  let look = CALLERS_KEPT;
  const unlimited = limits.perSecond === 0 && limits.inFlight === 0 && limits.waiting === 0;
  const refuse = (limit: Limit, allowed: number, retryAfterMs: number): Refusal => {
    onShed(limit);
    return new Refusal("RATE_LIMITED", {
      metadata: { limit, allowed: `${allowed}` },
      retryAfterMs,
    });
  };
  return {
    enter(credential, { control, stream } = ORDINARY) {
      if (unlimited || credential === UNLIMITED) return FREE;
      if (buckets.size >= look) {
        forgetQuiet(buckets, limits, nowMs());
        // Looked at again when as many have come, so that a crowd of busy callers costs one look and not one a call.
        look = Math.max(CALLERS_KEPT, buckets.size * 2);
      }
      const key = control ? `control ${credential}` : credential;
      const bucket = bucketOf(buckets, key, limits, nowMs());
      if (stream && isFull(limits.waiting, bucket.waiting))
        throw refuse("waiting", limits.waiting, IN_FLIGHT_RETRY_MS);
      if (!stream && isFull(limits.inFlight, bucket.running))
        throw refuse("in_flight", limits.inFlight, IN_FLIGHT_RETRY_MS);
      if (limits.perSecond > 0) {
        if (bucket.tokens < 1) {
          const waitMs = Math.ceil(((1 - bucket.tokens) * 1_000) / limits.perSecond);
          throw refuse("rate", limits.perSecond, waitMs);
        }
        bucket.tokens -= 1;
      }
      return admitted(bucket, limits, stream ? "waiting" : "running");
    },
  };
}

function isFull(limit: number, count: number): boolean {
  return limit > 0 && count >= limit;
}

function admitted(bucket: Bucket, limits: CallerLimits, first: Count): Admitted {
  let counted: Count | undefined = first;
  bucket[first] += 1;
  return {
    wait() {
      if (counted !== "running" || isFull(limits.waiting, bucket.waiting)) return;
      bucket.running -= 1;
      bucket.waiting += 1;
      counted = "waiting";
    },
    leave() {
      if (counted !== undefined) bucket[counted] -= 1;
      counted = undefined;
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
    const fresh = { tokens: limits.burst, timeMs: nowMs, running: 0, waiting: 0 };
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
    if (full && bucket.running + bucket.waiting === 0) buckets.delete(credential);
  }
}
