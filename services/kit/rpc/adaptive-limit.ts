/** How a server finds out how many calls it can run at once. */
export interface LimitPolicy {
  /** Unary calls at once to begin with, at least, and at most. Default 256, 16, 2048. */
  readonly limitStart: number;
  readonly limitMin: number;
  readonly limitMax: number;
  /** How many times its usual best an RPC may take before the limit shrinks. Default 4. */
  readonly tolerance: number;
  /** Calls faster than this are never slow, in milliseconds: below it a ratio is noise. Default 20. */
  readonly slowMs: number;
  /** Calls after which the limit is thought over. Default 32. */
  readonly samples: number;
  /** How long the usual best is remembered, in milliseconds. Default 30 s. */
  readonly bestMs: number;
  /** How often a limit below its start grows while no call is slow, in milliseconds. Default 1 s. */
  readonly recoverMs: number;
}

/** How much the limit shrinks when calls are slow. */
const SHRINK = 0.8;

interface Best {
  ms: number;
  beforeMs: number;
  sinceMs: number;
}

/**
 * The number of calls that run well at once, found out by what they take: while calls are about as fast as the RPC's
 * best of late, it grows; when most of a round are several times slower, it shrinks. A server that is idle makes no
 * rounds, so a limit that has shrunk also grows back with time.
 */
export class AdaptiveLimit {
  readonly #policy: LimitPolicy;
  readonly #nowMs: () => number;
  readonly #best = new Map<string, Best>();
  #limit: number;
  #runningPeak = 0;
  #slow = 0;
  #seen = 0;
  /** When a call was slow the last time, or the limit grew back a step. */
  #recoverFromMs = 0;

  /** `nowMs` is a monotonic clock; tests move it. */
  constructor(policy: LimitPolicy, nowMs: () => number) {
    this.#policy = policy;
    this.#nowMs = nowMs;
    this.#limit = policy.limitStart;
  }

  /** Calls that may run at once now. */
  get value(): number {
    this.#recover();
    return Math.floor(this.#limit);
  }

  /** Notes that so many calls run now. */
  began(running: number): void {
    this.#runningPeak = Math.max(this.#runningPeak, running);
  }

  /** Notes how long a call took, and how many run on. */
  ended(rpc: string, tookMs: number, running: number): void {
    const { tolerance, slowMs, samples, limitMin, limitMax } = this.#policy;
    const best = this.#bestOf(rpc, tookMs);
    this.#seen += 1;
    if (tookMs > slowMs && tookMs > tolerance * best) {
      this.#slow += 1;
      this.#recoverFromMs = this.#nowMs();
    }
    if (this.#seen < samples) return;
    // Most of them, so that a few slow calls say nothing about the server.
    if (this.#slow * 2 > this.#seen) this.#limit = Math.max(limitMin, this.#limit * SHRINK);
    else if (this.#runningPeak * 2 >= this.#limit) {
      this.#limit = Math.min(limitMax, this.#limit + Math.sqrt(this.#limit));
    }
    this.#seen = 0;
    this.#slow = 0;
    this.#runningPeak = running;
  }

  /** A step for each time that has passed without a slow call. */
  #recover(): void {
    const { limitStart, recoverMs } = this.#policy;
    if (this.#limit >= limitStart) return;
    const nowMs = this.#nowMs();
    while (this.#limit < limitStart && nowMs - this.#recoverFromMs >= recoverMs) {
      this.#limit = Math.min(limitStart, this.#limit + Math.sqrt(this.#limit));
      this.#recoverFromMs += recoverMs;
    }
  }

  /** The fastest call of this period and the one before: what was fast long ago must not be asked for for ever. */
  #bestOf(rpc: string, tookMs: number): number {
    const nowMs = this.#nowMs();
    const best = this.#best.get(rpc) ?? { ms: tookMs, beforeMs: tookMs, sinceMs: nowMs };
    if (nowMs - best.sinceMs >= this.#policy.bestMs) {
      best.beforeMs = best.ms;
      best.ms = tookMs;
      best.sinceMs = nowMs;
    }
    best.ms = Math.min(best.ms, tookMs);
    this.#best.set(rpc, best);
    return Math.min(best.ms, best.beforeMs);
  }
}
