import type { Interceptor } from "@connectrpc/connect";
import { Refusal } from "../refusal.ts";
import { AdaptiveLimit, type LimitPolicy } from "./adaptive-limit.ts";
import { callKey } from "./call.ts";
import { callerKey, ruleKey, scopeKey } from "./context.ts";
import { type Party, Places, type Shares, type UsedUp } from "./places.ts";

/** When a server sheds load, and how it shares what it can do. Tests change it; nothing else does. */
export interface OverloadPolicy extends LimitPolicy {
  /** Calls that may wait for a place. Default 64. */
  readonly queueMax: number;
  /** How long they may, in milliseconds. Default 50: who waited longer would wait for nothing. */
  readonly queueMs: number;
  /** What one tenant and one credential may have of the places of work. Default 3/4 and 1/2. */
  readonly workShares: Shares;
  /** Places kept free for the control lane, besides the limit. Default 32. */
  readonly controlMax: number;
  /** What one tenant and one credential may have of them. Default 1/2 and 1/4. */
  readonly controlShares: Shares;
  /** Calls that wait for something to happen, and streams, at once. Default 4096. */
  readonly waitingMax: number;
  /** What one tenant and one credential may have of those. Default 1/2 and 1/4. */
  readonly waitingShares: Shares;
}

/** The policy of the edge. */
export const OVERLOAD_POLICY: OverloadPolicy = {
  limitStart: 256,
  limitMin: 16,
  limitMax: 2_048,
  tolerance: 4,
  slowMs: 20,
  samples: 32,
  bestMs: 30_000,
  recoverMs: 1_000,
  queueMax: 64,
  queueMs: 50,
  workShares: { tenant: 3 / 4, credential: 1 / 2 },
  controlMax: 32,
  controlShares: { tenant: 1 / 2, credential: 1 / 4 },
  waitingMax: 4_096,
  waitingShares: { tenant: 1 / 2, credential: 1 / 4 },
};

/** Shortest and longest pause that a refused caller is told, in milliseconds; random, so that they do not come together. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 500;

/** One call that asks for a place. */
export interface Asking extends Party {
  /** `package.Service/Method`. */
  readonly rpc: string;
  /** Whether it may take one of the places that are kept for the control lane. */
  readonly control: boolean;
}

/** The place of a call that runs. */
export interface Seat {
  /** The call begins to wait: it takes a waiting place, if its caller may have one, and gives this one up. */
  wait(): void;
  leave(): void;
}

interface Waiter {
  readonly asking: Asking;
  readonly enter: () => void;
  readonly refuse: () => void;
}

/**
 * Lets in as many calls at once as the server does well. Each tenant and each credential has a share of the places, so
 * that nobody shuts the others out; calls that only wait have places of their own, and so has the control lane. What is
 * above the limit waits shortly in a short queue, and is then refused, which costs next to nothing and has no effect.
 */
export class OverloadGuard {
  readonly #policy: OverloadPolicy;
  readonly #nowMs: () => number;
  readonly #onShed: (limit: string) => void;
  readonly #limit: AdaptiveLimit;
  readonly #work: Places;
  readonly #control: Places;
  readonly #waits: Places;
  /** Oldest first. */
  readonly #queue: Waiter[] = [];

  /** `nowMs` is a monotonic clock; tests move it. `onShed` hears of each refusal. */
  constructor(
    policy: Partial<OverloadPolicy> = {},
    nowMs: () => number = () => performance.now(),
    onShed: (limit: string) => void = () => undefined,
  ) {
    this.#policy = { ...OVERLOAD_POLICY, ...policy };
    this.#nowMs = nowMs;
    this.#onShed = onShed;
    this.#limit = new AdaptiveLimit(this.#policy, nowMs);
    this.#work = new Places(this.#policy.workShares);
    this.#control = new Places(this.#policy.controlShares);
    this.#waits = new Places(this.#policy.waitingShares);
  }

  /** Calls that may run at once now. */
  get limit(): number {
    return this.#limit.value;
  }

  /** Calls that run now. */
  get running(): number {
    return this.#work.taken + this.#control.taken;
  }

  /** Calls and streams that wait for something to happen now. */
  get waiting(): number {
    return this.#waits.taken;
  }

  /** Calls that wait for a place now. */
  get queued(): number {
    return this.#queue.length;
  }

  /** A place for a unary call. Fails with OVERLOADED or RATE_LIMITED before the call has begun. */
  async enter(asking: Asking): Promise<Seat> {
    const places = this.#room(asking);
    // Who lets a queued call in takes the place for it, so that nobody slips in between.
    if (places === undefined) await this.#queued(asking);
    else places.enter(asking);
    return this.#seat(asking, places ?? this.#work);
  }

  /** A waiting place for a stream, until it is left. Fails with OVERLOADED or RATE_LIMITED. */
  enterStream(asking: Asking): () => void {
    const usedUp = this.#waits.usedUp(asking, this.#policy.waitingMax);
    if (usedUp !== undefined) throw this.#refused(usedUp, "stream");
    this.#waits.enter(asking);
    return () => this.#waits.leave(asking);
  }

  #room(asking: Asking): Places | undefined {
    const { controlMax } = this.#policy;
    if (asking.control && !this.#control.usedUp(asking, controlMax)) return this.#control;
    return this.#work.usedUp(asking, this.limit) ? undefined : this.#work;
  }

  #seat(asking: Asking, taken: Places): Seat {
    this.#limit.began(this.#work.taken);
    const startMs = this.#nowMs();
    let places = taken;
    let waited = false;
    return {
      wait: () => {
        waited = true;
        if (this.#waits.usedUp(asking, this.#policy.waitingMax) !== undefined) return;
        places.leave(asking);
        places = this.#waits;
        places.enter(asking);
        this.#next();
      },
      leave: () => {
        places.leave(asking);
        // How long a call waited for the world says nothing about the server.
        if (!waited) {
          this.#limit.ended(asking.rpc, this.#nowMs() - startMs, this.#work.taken);
        }
        this.#next();
      },
    };
  }

  #queued(asking: Asking): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const refuse = (): void => {
      clearTimeout(timer);
      reject(this.#refused(this.#work.usedUp(asking, this.limit) ?? "all", "work"));
    };
    const enter = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const waiter: Waiter = { asking, enter, refuse };
    const timer = setTimeout(() => {
      this.#drop(waiter);
      refuse();
    }, this.#policy.queueMs);
    this.#queue.push(waiter);
    if (this.#queue.length > this.#policy.queueMax) {
      const last = heaviest(this.#queue);
      this.#drop(last);
      last.refuse();
    }
    return promise;
  }

  #drop(waiter: Waiter): void {
    const at = this.#queue.indexOf(waiter);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  #refused(usedUp: UsedUp, what: "work" | "stream"): Refusal {
    const retryAfterMs = Math.round(RETRY_MIN_MS + Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS));
    if (usedUp === "all") {
      this.#onShed("overload");
      return new Refusal("OVERLOADED", { retryAfterMs });
    }
    this.#onShed(`${usedUp}_share`);
    const metadata = { limit: `${usedUp}_share`, of: what };
    return new Refusal("RATE_LIMITED", { metadata, retryAfterMs });
  }

  /** Lets in whoever has least of all, the oldest of those first. */
  #next(): void {
    while (this.#queue.length > 0) {
      const { limit } = this;
      let next: Waiter | undefined;
      for (const waiter of this.#queue) {
        if (this.#work.usedUp(waiter.asking, limit) !== undefined) continue;
        if (!next || this.#work.compare(waiter.asking, next.asking) < 0) next = waiter;
      }
      if (next === undefined) return;
      this.#drop(next);
      this.#work.enter(next.asking);
      next.enter();
    }
  }
}

/** The newest waiter of the credential that has most in the queue, of the tenant that has most. */
function heaviest(queue: readonly Waiter[]): Waiter {
  const counts = new Places({ tenant: 1, credential: 1 });
  for (const { asking } of queue) counts.enter(asking);
  return queue.reduce((most, waiter) =>
    counts.compare(waiter.asking, most.asking) >= 0 ? waiter : most,
  );
}

/** Sheds calls when the server is overloaded or a caller has its share; exempt services pass. */
export function overloadInterceptor(
  guard: OverloadGuard,
  exempt: ReadonlySet<string>,
): Interceptor {
  return (next) => async (request) => {
    const { contextValues: values, service, method } = request;
    const call = values.get(callKey);
    if (call === undefined || exempt.has(service.typeName)) return next(request);
    const asking: Asking = {
      tenant: values.get(scopeKey).tenant,
      credential: values.get(callerKey)?.credential ?? "",
      rpc: `${service.typeName}/${method.name}`,
      control: values.get(ruleKey)?.control ?? false,
    };
    if (request.stream) {
      call.onEnd.push(guard.enterStream(asking));
      return next(request);
    }
    const seat = await guard.enter(asking);
    call.onWait.push(() => seat.wait());
    return next(request).finally(() => seat.leave());
  };
}
