import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Payment } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { mustFind } from "./wait-for.ts";

/** A change, or a sign of life without a payment. The token names the version the watcher has seen. */
export interface WatchEvent {
  readonly payment?: Payment;
  readonly resumeToken: string;
}

/**
 * The payment's changes until it is final. Every event carries the whole row with its timeline, so the token is simply
 * the version that was seen: nothing is lost between two streams, however far apart they are and whoever restarted.
 */
export async function* watchPayment(
  deps: Pick<PaymentDeps, "store" | "feed" | "watchHeartbeatMs">,
  scope: Scope,
  paymentId: string,
  resumeToken: string,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  let seen = parseToken(resumeToken);
  let wake = Promise.withResolvers<void>();
  const onAbort = (): void => wake.resolve();
  signal.addEventListener("abort", onAbort);
  using _ = await deps.feed.listen(paymentId, () => wake.resolve());
  try {
    while (!signal.aborted) {
      // Renewed before the read: a change during the read wakes the next wait at once.
      wake = Promise.withResolvers<void>();
      const payment = await mustFind(deps, scope, paymentId);
      if (payment.version < seen)
        throw new Refusal("RESUME_TOKEN_EXPIRED", { metadata: { payment_id: paymentId } });
      if (payment.version > seen) {
        seen = payment.version;
        yield { payment, resumeToken: seen.toString() };
      }
      if (payment.final) return;
      if (await silent(wake.promise, deps.watchHeartbeatMs)) yield { resumeToken: seen.toString() };
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function parseToken(token: string): bigint {
  if (token === "") return 0n;
  if (/^\d{1,18}$/.test(token)) return BigInt(token);
  throw new Refusal("RESUME_TOKEN_EXPIRED", {
    fields: [{ field: "resume_token", description: "not a token of this service" }],
  });
}

async function silent(woken: Promise<void>, boundMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), boundMs);
  woken.then(() => resolve(false));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
