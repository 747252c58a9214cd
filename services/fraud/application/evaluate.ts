import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { type Check, openCheck, repeatCheck, type Subject } from "../domain/check.ts";
import type { Settings } from "../domain/settings.ts";
import { tallyName, tallyRef } from "../domain/tally.ts";
import type { Changes, Tenant } from "../store/port.ts";
import { createBatches } from "./batches.ts";
import type { FraudDeps } from "./deps.ts";

/** One check to make. */
export interface Evaluation {
  readonly checkId: string;
  readonly subject: Subject;
}

/** Makes a check, or answers the one stored under its id. */
export type Evaluate = (scope: Scope, input: Evaluation, signal?: AbortSignal) => Promise<Check>;

type Answer =
  | { readonly check: Check; readonly mockDelayMs: number }
  | { readonly refusal: Refusal };

/**
 * Makes the function that evaluates. The first outcome of a check id is stored, with its move of the tally, in one
 * transaction; every repeat answers it. Fails with CHECK_ID_REUSED.
 */
export function createEvaluate(deps: FraudDeps): Evaluate {
  const evaluateInBatch = createBatches<Evaluation, Answer>((tenant, items) =>
    evaluateAll(deps, { tenant }, items),
  );
  return async (scope, input, signal) => {
    const answer = await evaluateInBatch(scope.tenant, input);
    if ("refusal" in answer) throw answer.refusal;
    await pretendToThink(deps, answer.check, answer.mockDelayMs, signal);
    return answer.check;
  };
}

/** Decides a batch in order of arrival: what an earlier item adds to a tally, a later one sees. */
function evaluateAll(
  deps: FraudDeps,
  tenant: Tenant,
  items: readonly Evaluation[],
): Promise<readonly Answer[]> {
  return deps.store.transact(tenant, async (transaction) => {
    // One after the other: a transaction's session runs one operation at a time.
    const known = await transaction.checks(items.map((item) => item.checkId));
    const { settings } = await transaction.settings();
    const fresh = items.filter((item) => !known.has(item.checkId));
    const tallies = await transaction.tallies(fresh.map((item) => tallyRef(item.subject)));
    const batch = new Batch(settings, new Map(known), new Map(tallies), deps.clock());
    const answers = items.map((item) => batch.decide(item));
    await transaction.write(batch.changes());
    return answers;
  });
}

/** The state of one batch while it is decided in memory. */
class Batch {
  readonly #settings: Settings;
  readonly #checks: Map<string, Check>;
  readonly #tallies: Map<string, bigint>;
  readonly #now: Date;
  readonly #inserted = new Map<string, Check>();
  readonly #updated = new Map<string, Check>();
  readonly #moves: Changes["tallyMoves"][number][] = [];

  constructor(
    settings: Settings,
    checks: Map<string, Check>,
    tallies: Map<string, bigint>,
    now: Date,
  ) {
    this.#settings = settings;
    this.#checks = checks;
    this.#tallies = tallies;
    this.#now = now;
  }

  decide({ checkId, subject }: Evaluation): Answer {
    const stored = this.#checks.get(checkId);
    return stored === undefined ? this.#open(checkId, subject) : this.#repeat(stored, subject);
  }

  changes(): Changes {
    return {
      inserted: [...this.#inserted.values()],
      updated: [...this.#updated.values()],
      tallyMoves: this.#moves,
    };
  }

  #open(checkId: string, subject: Subject): Answer {
    const ref = tallyRef(subject);
    const tally = this.#tallies.get(tallyName(ref)) ?? 0n;
    const { check, tallyDelta } = openCheck(checkId, subject, this.#settings, tally, this.#now);
    this.#checks.set(checkId, check);
    this.#inserted.set(checkId, check);
    if (tallyDelta !== 0n) {
      this.#tallies.set(tallyName(ref), tally + tallyDelta);
      this.#moves.push({ ref, delta: tallyDelta });
    }
    return { check, mockDelayMs: this.#settings.mockDelayMs };
  }

  #repeat(stored: Check, subject: Subject): Answer {
    const repeated = repeatCheck(stored, subject);
    if (!repeated.ok) {
      return {
        refusal: new Refusal(repeated.reason, {
          message: `Check ${stored.id} is about another payment, account or amount; take a new check_id.`,
          metadata: { check_id: stored.id },
        }),
      };
    }
    if (repeated.value !== stored) {
      this.#checks.set(stored.id, repeated.value);
      this.#updated.set(stored.id, repeated.value);
    }
    return { check: repeated.value, mockDelayMs: this.#settings.mockDelayMs };
  }
}

/**
 * Thinking time ends a fixed time after the check was made, so that a caller who gave up and comes back gets the
 * answer once that time is over.
 */
async function pretendToThink(
  deps: FraudDeps,
  check: Check,
  mockDelayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const leftMs = check.createTime.getTime() + mockDelayMs - deps.clock().getTime();
  if (leftMs > 0) await sleep(Math.min(leftMs, mockDelayMs), signal);
}

/** Ends early, without an error, when the caller is gone: nobody waits for the answer any more. */
function sleep(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    signal?.addEventListener("abort", done);
  });
}
