import { Code, ConnectError } from "@connectrpc/connect";

/** HTTP statuses by which something between two services may answer in a peer's place. */
export const STRANGE_CODES = {
  "401": Code.Unauthenticated,
  "403": Code.PermissionDenied,
  "404": Code.NotFound,
  "501": Code.Unimplemented,
} as const;

type StrangeCode = keyof typeof STRANGE_CODES;

/**
 * How one call goes wrong. `fails`: it never arrives. `answer-lost`: it takes effect, the caller is told UNAVAILABLE.
 * `hangs`: it never arrives and nobody answers. `hangs-after`: it takes effect and nobody answers. `refused-404` and its
 * like: it never arrives, and somebody who is not the peer refuses it. `lost-404`: the same, after it took effect.
 */
export type Fault =
  | "fails"
  | "answer-lost"
  | "hangs"
  | "hangs-after"
  | `${"refused" | "lost"}-${StrangeCode}`;

/** A call that waits at a fault until the test has done something. */
export interface Pause {
  /** Fulfilled when the call is there. */
  readonly reached: Promise<void>;
  /** Lets it and all later ones go on. */
  release(): void;
}

/** A fault that stays until it is lifted. */
export interface Outage {
  /** How many calls it has met. */
  calls(): number;
  lift(): void;
}

interface Rule {
  readonly accountId: string;
  readonly method: string;
  left: number;
  readonly apply: <T>(call: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;
}

/**
 * Decides which calls between services go wrong. A payment is known by the account that pays, because its id is made only when
 * it is accepted; method names are unique over all services.
 */
export class Faults {
  readonly #rules: Rule[] = [];
  readonly #payers = new Map<string, string>();
  #ending = new AbortController();

  /** The next `times` calls of the method for the payer's payment go wrong. Answers how many are still to come. */
  plan(accountId: string, method: string, fault: Fault, times = 1): () => number {
    const apply: Rule["apply"] = (call, signal) => goWrong(fault, call, this.#until(signal));
    const rule: Rule = { accountId, method, left: times, apply };
    this.#rules.push(rule);
    return () => rule.left;
  }

  /** Every call of the method for the payer's payment fails until the outage is lifted. */
  breakDown(accountId: string, method: string): Outage {
    let calls = 0;
    const rule: Rule = {
      accountId,
      method,
      left: Number.POSITIVE_INFINITY,
      apply: async () => {
        calls += 1;
        throw unavailable();
      },
    };
    this.#rules.push(rule);
    return {
      calls: () => calls,
      lift: () => {
        rule.left = 0;
      },
    };
  }

  /** Calls of the method for the payer's payment wait, before they arrive or after they took effect. */
  pause(accountId: string, method: string, where: "before" | "after"): Pause {
    const reached = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    const rule: Rule = {
      accountId,
      method,
      left: Number.POSITIVE_INFINITY,
      apply: async (call, signal) => {
        if (where === "before") return this.#wait(reached, open.promise, signal).then(call);
        const answer = await call();
        await this.#wait(reached, open.promise, signal);
        return answer;
      },
    };
    this.#rules.push(rule);
    return {
      reached: reached.promise,
      release: () => {
        rule.left = 0;
        open.resolve();
      },
    };
  }

  /** Runs a call, or what was planned instead of it. */
  meet<T>(
    method: string,
    request: unknown,
    call: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const accountId = this.#payerOf(request);
    const rule = this.#rules.find(
      (each) => each.method === method && each.accountId === accountId && each.left > 0,
    );
    if (rule === undefined) return call();
    rule.left -= 1;
    return rule.apply(call, signal);
  }

  /** The client, with every call meeting its fault. */
  watch<C extends object>(client: C): C {
    return new Proxy(client, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== "function" || typeof name !== "string") return call;
        const method = name.charAt(0).toUpperCase() + name.slice(1);
        return (request: unknown, options?: { signal?: AbortSignal }) =>
          this.meet(method, request, () => call.call(target, request, options), options?.signal);
      },
    });
  }

  /** Ends whatever still hangs or waits, and forgets every plan. */
  end(): void {
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#rules.length = 0;
    this.#payers.clear();
  }

  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#ending.signal]) : this.#ending.signal;
  }

  async #wait(
    reached: { resolve(): void },
    open: Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    reached.resolve();
    await Promise.race([open, aborted(this.#until(signal))]);
  }

  #payerOf(request: unknown): string | undefined {
    const paymentId = paymentOf(request);
    const accountId = textOf(request, "accountId");
    // What a refund posts names its account only.
    if (paymentId === undefined) return accountId;
    if (accountId !== undefined && !this.#payers.has(paymentId)) {
      this.#payers.set(paymentId, accountId);
    }
    return this.#payers.get(paymentId);
  }
}

/** The faults of this test file. */
export const faults = new Faults();

async function goWrong<T>(fault: Fault, call: () => Promise<T>, end: AbortSignal): Promise<T> {
  if (fault === "answer-lost" || fault === "hangs-after" || fault.startsWith("lost-")) await call();
  if (fault === "hangs" || fault === "hangs-after") await aborted(end);
  const strange = Object.entries(STRANGE_CODES).find(([code]) => fault.endsWith(`-${code}`));
  throw strange ? new ConnectError(`a proxy says ${strange[0]}`, strange[1]) : unavailable();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function unavailable(): ConnectError {
  return new ConnectError("the connection broke", Code.Unavailable);
}

/** Every key of a payment's parts begins with its id. */
function paymentOf(request: unknown): string | undefined {
  const names = ["paymentId", "holdId", "checkId", "authorizationKey", "merchantReference"];
  for (const name of names) {
    const text = textOf(request, name);
    if (text) return text.split(":")[0];
  }
  return undefined;
}

function textOf(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text: unknown = Reflect.get(value, name);
  return typeof text === "string" ? text : undefined;
}
