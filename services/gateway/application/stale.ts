import { Refusal } from "#kit/refusal.ts";

/** How long a decision is made again on newer rows before the caller is asked to retry, in milliseconds. */
const CONTENTION_MAX_MS = 5_000;
const PAUSE_MAX_MS = 50;

/** Tries until a try is not stale (undefined), with a random pause, so that racing callers get out of step. */
export async function untilDecided<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  const untilMs = Date.now() + CONTENTION_MAX_MS;
  for (let tries = 1; ; tries += 1) {
    const decided = await attempt();
    if (decided !== undefined) return decided;
    if (Date.now() > untilMs) throw new Refusal("WRITE_CONFLICT");
    const pauseMs = Math.random() * Math.min(PAUSE_MAX_MS, 2 ** tries);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
