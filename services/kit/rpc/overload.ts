import type { Interceptor } from "@connectrpc/connect";
import { Refusal } from "../refusal.ts";

/** When a server sheds load. Tests change it; nothing else does. */
export interface OverloadPolicy {
  /** Unary calls at once to begin with, at least, and at most. Default 128, 16, 2048. */
  readonly limitStart: number;
  readonly limitMin: number;
  readonly limitMax: number;
  /** Calls that may wait for a place. Default 64. */
  readonly queueMax: number;
  /** How long they may, in milliseconds. Default 50: who waited longer would wait for nothing. */
  readonly queueMs: number;
  /** How many times its usual best an RPC may take before the limit shrinks. Default 4. */
  readonly tolerance: number;
  /** Calls faster than this are never slow, in milliseconds: below it a ratio is noise. Default 20. */
  readonly slowMs: number;
  /** Calls after which the limit is thought over. Default 32. */
  readonly samples: number;
  /** How long the usual best is remembered, in milliseconds. Default 30 s. */
  readonly bestMs: number;
}

/** The policy of the edge. */
export const OVERLOAD_POLICY: OverloadPolicy = {
  limitStart: 128,
  limitMin: 16,
  limitMax: 2_048,
  queueMax: 64,
  queueMs: 50,
  tolerance: 4,
  slowMs: 20,
  samples: 32,
  bestMs: 30_000,
};

/** How much the limit shrinks when calls are slow. */
const SHRINK = 0.8;
/** Shortest and longest pause that a refused caller is told, in milliseconds; random, so that they do not come together. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 500;

interface Best {
  ms: number;
  beforeMs: number;
  sinceMs: number;
}

/**
 * How many calls run at once, found out by what they take: while calls are about as fast as the RPC's best of late,
 * the limit grows; when most of a round are several times slower, it shrinks. What is above it waits shortly, in a
 * short queue, and is then refused, which costs next to nothing and has no effect.
 */
export class OverloadGuard {
  readonly #policy: OverloadPolicy;
  readonly #nowMs: () => number;
  readonly #onShed: () => void;
  readonly #best = new Map<string, Best>();
  readonly #queue = new Set<() => void>();
  #limit: number;
  #running = 0;
  #runningPeak = 0;
  #slow = 0;
  #seen = 0;

  /** `nowMs` is a monotonic clock; tests move it. `onShed` hears of each refusal. */
  constructor(
    policy: Partial<OverloadPolicy> = {},
    nowMs: () => number = () => performance.now(),
    onShed: () => void = () => undefined,
  ) {
    this.#onShed = onShed;
    this.#policy = { ...OVERLOAD_POLICY, ...policy };
    this.#nowMs = nowMs;
    this.#limit = this.#policy.limitStart;
  }

  /** Calls that may run at once now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Calls that run now. */
  get running(): number {
    return this.#running;
  }

  /** Calls that wait for a place now. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Runs a call when there is a place for it. Fails with OVERLOADED before it has begun. */
  async run<T>(rpc: string, call: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limit) await this.#place();
    else this.#take();
    const startMs = this.#nowMs();
    try {
      return await call();
    } finally {
      this.#running -= 1;
      this.#observe(rpc, this.#nowMs() - startMs);
      this.#next();
    }
  }

  #take(): void {
    this.#running += 1;
    this.#runningPeak = Math.max(this.#runningPeak, this.#running);
  }

  /** The place is taken by whoever frees it, so that nobody slips in between. */
  #place(): Promise<void> {
    if (this.#queue.size >= this.#policy.queueMax) throw this.#refused();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#queue.delete(enter);
      reject(this.#refused());
    }, this.#policy.queueMs);
    const enter = (): void => {
      clearTimeout(timer);
      resolve();
    };
    this.#queue.add(enter);
    return promise;
  }

  #refused(): Refusal {
    this.#onShed();
    return overloaded();
  }

  #next(): void {
    for (const enter of this.#queue) {
      if (this.#running >= this.limit) return;
      this.#queue.delete(enter);
      this.#take();
      enter();
    }
  }

  #observe(rpc: string, tookMs: number): void {
    const { tolerance, slowMs, samples } = this.#policy;
    const best = this.#bestOf(rpc, tookMs);
    this.#seen += 1;
    if (tookMs > slowMs && tookMs > tolerance * best) this.#slow += 1;
    if (this.#seen < samples) return;
    // Most of them, so that a few calls that wait on purpose say nothing about the server.
    if (this.#slow * 2 > this.#seen)
      this.#limit = Math.max(this.#policy.limitMin, this.#limit * SHRINK);
    else if (this.#runningPeak * 2 >= this.#limit) {
      this.#limit = Math.min(this.#policy.limitMax, this.#limit + Math.sqrt(this.#limit));
    }
    this.#seen = 0;
    this.#slow = 0;
    this.#runningPeak = this.#running;
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

/** Sheds unary calls when the server is overloaded; streams and the services named pass. */
export function overloadInterceptor(
  guard: OverloadGuard,
  exempt: ReadonlySet<string>,
): Interceptor {
  return (next) => (request) => {
    if (request.stream || exempt.has(request.service.typeName)) return next(request);
    return guard.run(`${request.service.typeName}/${request.method.name}`, () => next(request));
  };
}

function overloaded(): Refusal {
  const retryAfterMs = Math.round(RETRY_MIN_MS + Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS));
  return new Refusal("OVERLOADED", { retryAfterMs });
}
