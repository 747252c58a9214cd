import { setTimeout as pause } from "node:timers/promises";

/** Asks again until the answer is not false or undefined, at most `boundMs` (default 30 s). Errors count as "not yet". */
export async function waitUntil<T>(
  ask: () => Promise<T | undefined | false>,
  options: { readonly boundMs?: number; readonly everyMs?: number; readonly what?: string } = {},
): Promise<T> {
  const deadline = Date.now() + (options.boundMs ?? 30_000);
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await pause(options.everyMs ?? 50);
  }
  throw new Error(`gave up waiting${options.what ? ` for ${options.what}` : ""}: ${String(last)}`);
}
