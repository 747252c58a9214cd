import type { Caller } from "../auth/authority.ts";
import { Refusal } from "../refusal.ts";
import type { Call } from "./call.ts";

/**
 * Ends a stream when its credentials do: at the time they name, or when a check refuses them. A check that cannot be
 * made, say because the database is away, ends nothing: it is made again.
 */
export function keepChecking(
  call: Call,
  caller: Caller,
  check: () => Promise<Caller>,
  everyMs: number,
): void {
  let known = caller;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const end = (cause?: unknown): void => call.ending.abort(accessEnded(cause));
  const plan = (): void => {
    if (ended) return;
    const leftMs = (known.expireMs ?? Number.POSITIVE_INFINITY) - Date.now();
    timer = setTimeout(look, Math.max(0, Math.min(everyMs, leftMs)));
  };
  const look = (): void => {
    if (known.expireMs !== undefined && known.expireMs <= Date.now()) {
      end();
      return;
    }
    check().then(
      (now) => {
        known = now;
        plan();
      },
      (error: unknown) => {
        if (isCredentialRefusal(error)) end(error);
        else plan();
      },
    );
  };
  call.onEnd.push(() => {
    ended = true;
    clearTimeout(timer);
  });
  plan();
}

/** Whether an error says that the credentials are at fault, and not that they could not be checked. */
export function isCredentialRefusal(error: unknown): boolean {
  return error instanceof Refusal && error.reason.startsWith("CREDENTIALS_");
}

function accessEnded(cause: unknown): Refusal {
  return new Refusal("CREDENTIALS_INVALID", {
    message:
      "the API key or token was revoked or has expired while the stream was open; open it again with a new one",
    cause,
  });
}
