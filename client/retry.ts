import { type SettleError, toSettleError } from "./errors.ts";
import type { RetryPolicy } from "./options.ts";

/** One try of a call; may take this long, in milliseconds. */
type Attempt<T> = (remainingMs: number) => Promise<T>;

export interface RetryOptions {
  readonly policy: RetryPolicy;
  /** All tries and pauses together, in milliseconds. */
  readonly timeoutMs: number;
  readonly isRepeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Tries until an answer, a refusal that is final, the last try, or the end of the time. Fails with a SettleError. */
export async function withRetries<T>(attempt: Attempt<T>, options: RetryOptions): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (let tries = 1; ; tries += 1) {
    try {
      // Both protocols carry whole milliseconds only.
      return await attempt(Math.max(1, Math.floor(deadline - performance.now())));
    } catch (thrown) {
      const error = toSettleError(thrown);
      const waitMs = pauseMs(options.policy, tries, error);
      const isOver = tries >= options.policy.maxAttempts || performance.now() + waitMs >= deadline;
      if (!error.retryable || !options.isRepeatable || isOver || options.signal?.aborted)
        throw error;
      await pauseFor(waitMs, options.signal, error);
    }
  }
}

/** Full jitter, so that callers that failed together do not return together; never before the server asks for. */
export function pauseMs(policy: RetryPolicy, tries: number, error?: SettleError): number {
  const longest = Math.min(policy.maxPauseMs, policy.firstPauseMs * 2 ** (tries - 1));
  const jittered = Math.random() * longest;
  const asked = error?.retryAfterMs;
  return asked === undefined ? jittered : asked + jittered / 2;
}

/** Waits; when the caller gives up meanwhile, the call fails for what it failed for before. */
export async function pauseFor(
  ms: number,
  signal: AbortSignal | undefined,
  error: SettleError,
): Promise<void> {
  if (signal?.aborted) throw error;
  await new Promise<void>((resolve, reject) => {
    const end = (after: () => void) => () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", gaveUp);
      after();
    };
    const gaveUp = end(() => reject(error));
    const timer = setTimeout(end(resolve), ms);
    signal?.addEventListener("abort", gaveUp);
  });
}
