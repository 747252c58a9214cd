import { retryPauseMs } from "../domain/retry.ts";
import type { Claimed, DeliveryOutcome } from "../store/port.ts";
import { PermanentFailure } from "./deliver.ts";
import type { SenderDeps } from "./deps.ts";

/** Longest text kept of a channel's error. */
const ERROR_LENGTH_MAX = 500;

/**
 * One round of the sender: takes messages that are due by a lease, delivers them, writes what became of them. Each
 * message is delivered at least once; the channel drops copies by its id. Answers how many were taken.
 */
export async function sendDue(deps: SenderDeps, signal: AbortSignal): Promise<number> {
  const { batchMax, leaseMs, concurrency } = deps.policy;
  const claimed = await deps.store.claimDue({ limit: batchMax, now: deps.clock(), leaseMs });
  const waiting = [...claimed];
  const workers = Array.from({ length: concurrency }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      // What a stopping sender leaves is taken by another one when the lease ends, or by itself after a restart.
      if (signal.aborted) return;
      const outcome = await tryDelivery(deps, next, signal);
      await deps.store.settle([{ claimed: next, outcome }]);
    }
  });
  // All must have ended before the next round begins, also when one of them lost the database.
  const failure = (await Promise.allSettled(workers)).find((ended) => ended.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return claimed.length;
}

async function tryDelivery(
  deps: SenderDeps,
  claimed: Claimed,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const { tenant, notification } = claimed;
  const { id: notificationId, content, address, subject, body, attempts: attempt } = notification;
  const { channel, paymentId } = content;
  try {
    await deps.deliver(
      { tenant, notificationId, channel, address, subject, body, paymentId, attempt },
      signal,
    );
    return { kind: "SENT", sendTime: deps.clock() };
  } catch (error) {
    return failed(deps, claimed, error);
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
