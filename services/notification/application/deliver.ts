import type { Fault } from "../domain/fault.ts";
import type { Channel } from "../domain/notification.ts";

/** A message on its way to the channel. */
export interface Delivery {
  readonly tenant: string;
  /** Also the key under which the channel drops a second copy. */
  readonly notificationId: string;
  readonly channel: Channel;
  readonly address: string;
  readonly subject: string;
  readonly body: string;
  readonly paymentId: string;
  /** 1 for the first. */
  readonly attempt: number;
}

/**
 * Hands a message to its channel; done means the channel took it. Throws `PermanentFailure` when the channel will
 * never take it; anything else means that it may be tried again, and that it may have been taken.
 */
export type Deliver = (delivery: Delivery, signal: AbortSignal) => Promise<void>;

/** The channel refuses this message for good: no such address, content not allowed. */
export class PermanentFailure extends Error {
  override readonly name = "PermanentFailure";
}

/** A channel that fails as told, for tests; `fault` is asked before each delivery. */
export function createFaulty(deliver: Deliver, fault: () => Fault): Deliver {
  return async (delivery, signal) => {
    const present = fault();
    if (present.kind === "REFUSE") throw new PermanentFailure("refused by the faulty sender");
    const failing = present.kind !== "NONE" && delivery.attempt <= present.attempts;
    if (failing && present.kind === "FAIL") throw new Error("failed by the faulty sender");
    await deliver(delivery, signal);
    if (failing) throw new Error("taken, but the faulty sender lost the answer");
  };
}
