import { retryPauseMs } from "../domain/retry.ts";
import type { Claimed, DeliveryOutcome } from "../store/port.ts";
import { PermanentFailure } from "./deliver.ts";
import type { SenderDeps } from "./deps.ts";

/** Longest text kept of a channel's error. */
const ERROR_LENGTH_MAX = 500;

/**
 * One round of the sender: takes messages that are due by a lease, delivers them at once, writes what became of them.
 * Each message is delivered at least once; the channel drops copies by its id. Answers how many were taken.
 */
export async function sendDue(deps: SenderDeps, stop: AbortSignal): Promise<number> {
  const { batchMax, leaseMs } = deps.policy;
  const claimed = await deps.store.claimDue({ limit: batchMax, now: deps.clock(), leaseMs });
  const deliveries = claimed.map(async (one) => {
    const outcome = await tryDelivery(deps, one, stop);
    await deps.store.settle([{ claimed: one, outcome }]);
  });
  // All must have ended before the next round begins, also when one of them lost the database.
  const failure = (await Promise.allSettled(deliveries)).find((end) => end.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return claimed.length;
}

async function tryDelivery(
  deps: SenderDeps,
  claimed: Claimed,
  stop: AbortSignal,
): Promise<DeliveryOutcome> {
  const { tenant, notification } = claimed;
  const { id: notificationId, content, address, subject, body, attempts: attempt } = notification;
  const { channel, paymentId } = content;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(deps.policy.deliveryTimeoutMs)]);
  try {
    const delivery = {
      tenant,
      notificationId,
      channel,
      address,
      subject,
      body,
      paymentId,
      attempt,
    };
    await unlessAborted(signal, () => deps.deliver(delivery, signal));
    return { kind: "SENT", sendTime: deps.clock() };
  } catch (error) {
    if (stop.aborted) return { kind: "PUT_BACK", nextTime: deps.clock() };
    return failed(deps, claimed, error);
  }
}

/** A channel that cannot be interrupted is left alone when the time is over: its lease must not run out under it. */
async function unlessAborted(signal: AbortSignal, run: () => Promise<void>): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    await Promise.race([run(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function failed(deps: SenderDeps, { notification }: Claimed, error: unknown): DeliveryOutcome {
  const now = deps.clock().getTime();
  const text = (error instanceof Error ? error.message : String(error)).slice(0, ERROR_LENGTH_MAX);
  const { id: notificationId, attempts, createTime } = notification;
  const late = now - createTime.getTime() >= deps.policy.giveUpMs;
  if (late || error instanceof PermanentFailure) {
    const message = late ? `given up after ${attempts} attempts: ${text}` : text;
    deps.log.warn({ notificationId, attempts, error: message }, "notification failed for good");
    return { kind: "FAILED", error: message };
  }
  const pauseMs = retryPauseMs(deps.policy, attempts, deps.random());
  deps.log.info({ notificationId, attempts, pauseMs, error: text }, "notification delayed");
  return { kind: "RETRY", error: text, nextTime: new Date(now + pauseMs) };
}
