import type { Log } from "#kit/log.ts";
import { Refusal } from "#kit/refusal.ts";
import { BatchUndecided, type LedgerPort } from "../domain/ledger-port.ts";
import type { LedgerOutcome, LedgerRequest } from "../domain/request.ts";

/** Bounds of the group commit. */
export interface GroupCommitLimits {
  /** Requests in one transaction. Default 256: more would hold its locks longer and gain little. */
  readonly batchMax: number;
  /** Requests that wait; more are refused with LEDGER_BUSY. Default 20,000, about a second's work. */
  readonly queueMax: number;
  /** How long a batch is decided again before its callers get LEDGER_BUSY, in milliseconds. Default 5 s. */
  readonly budgetMs: number;
}

/** The defaults of `GroupCommitLimits`. */
export const GROUP_COMMIT_LIMITS: GroupCommitLimits = {
  batchMax: 256,
  queueMax: 20_000,
  budgetMs: 5_000,
};

/** What the group commit works with. */
export interface GroupCommitDeps {
  readonly ledger: LedgerPort;
  readonly log: Log;
  readonly limits?: Partial<GroupCommitLimits>;
  /** Between 0 and 1, for the jitter. Default `Math.random`. */
  readonly random?: () => number;
}

interface Waiting {
  readonly request: LedgerRequest;
  readonly resolve: (outcome: LedgerOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const BACKOFF_FIRST_MS = 4;
const BACKOFF_MAX_MS = 32;

/**
 * One committer per process: what arrives while a commit is in flight goes into the next one, so a hot account
 * costs one transaction per batch and not one per request. There is no timer: an idle ledger commits at once.
 */
export class GroupCommit implements AsyncDisposable {
  readonly #deps: GroupCommitDeps;
  readonly #limits: GroupCommitLimits;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps;
    this.#limits = { ...GROUP_COMMIT_LIMITS, ...deps.limits };
  }

  /**
   * Decides a request with whatever else is waiting. Refuses with LEDGER_BUSY when too many wait or the
   * budget is used up (the outcome is then unknown: ask again with the same id), SHUTTING_DOWN after stop.
   */
  submit(request: LedgerRequest): Promise<LedgerOutcome> {
    if (this.#stopped) return Promise.reject(new Refusal("SHUTTING_DOWN"));
    if (this.#queue.length >= this.#limits.queueMax) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Finishes what waits and takes nothing new. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Requests that arrived in the same turn of the event loop share the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, this.#limits.batchMax);
      this.#queue = this.#queue.slice(this.#limits.batchMax);
      await this.#settle(batch);
    }
    this.#running = undefined;
  }

  /** Never throws: every waiting caller gets an outcome or an error. */
  async #settle(batch: readonly Waiting[], isSecondTry = false): Promise<void> {
    try {
      const outcomes = await this.#decide(batch.map(({ request }) => request));
      for (const [index, waiting] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) waiting.reject(new Error("the batch has no outcome for it"));
        else waiting.resolve(outcome);
      }
    } catch (error) {
      if (error instanceof Refusal || isSecondTry) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // The store has dropped what it believed: alone and on fresh reads, a request that ran into a wall of the
      // database (an increment past int64 on a stale system balance) is declined as it should be.
      if (batch.length === 1) return this.#settle(batch, true);
      // One request must not take its batch down: halving finds it in a few more transactions.
      this.#deps.log.error({ err: error, requests: batch.length }, "batch failed; halving it");
      const half = Math.ceil(batch.length / 2);
      await this.#settle(batch.slice(0, half));
      await this.#settle(batch.slice(half));
    }
  }

  async #decide(requests: readonly LedgerRequest[]): Promise<readonly LedgerOutcome[]> {
    const deadline = performance.now() + this.#limits.budgetMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#deps.ledger.commitBatch(requests);
      } catch (error) {
        if (!(error instanceof BatchUndecided)) throw error;
        const pauseMs = this.#pauseMs(attempt);
        if (performance.now() + pauseMs >= deadline) throw busy(error);
        this.#deps.log.debug({ err: error, attempt }, "batch is decided again");
        await sleep(pauseMs);
      }
    }
  }

  /** Full jitter: two instances that collided must not meet again. */
  #pauseMs(attempt: number): number {
    const limit = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
    return limit * (this.#deps.random ?? Math.random)();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function busy(cause?: unknown): Refusal {
  return new Refusal("LEDGER_BUSY", { retryAfterMs: 200, cause });
}
