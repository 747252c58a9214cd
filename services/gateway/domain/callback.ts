import type { Sending } from "./behaviour.ts";

/** An authorisation that takes effect later, and the callbacks that follow; at most one per authorisation. */
export interface CallbackTask {
  readonly authorizationKey: string;
  /** Each with its event id; sent in this order. */
  readonly sendings: readonly (Sending & { readonly eventId: string })[];
  /** How many of them have been taken by the merchant. */
  readonly sentCount: number;
  /** Failed tries of the sending that is next. */
  readonly attempts: number;
  /** When the authorisation was to take effect. */
  readonly firstDueTime: Date;
  /** What the provider did by itself and tells of; absent: the task is about the authorisation. */
  readonly news?: ProviderNews;
}

/** An operation that the merchant did not ask for. */
export interface ProviderNews {
  /** Key of the operation. */
  readonly key: string;
  readonly state: "REFUNDED" | "VOIDED";
  /** How much was given back, or given up. */
  readonly minorUnits: bigint;
  readonly time: Date;
}

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** A merchant that was away for longer has to ask by itself. */
const GIVE_UP_AFTER_MS = 3 * 24 * 3_600_000;

/** Pause before the next try, in milliseconds, after so many failed ones (1 or more). */
export function backoffMs(attempts: number): number {
  return Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(attempts - 1, 16), BACKOFF_MAX_MS);
}

/** Whether a callback has been tried for so long that it is given up. */
export function isDead(task: CallbackTask, now: Date): boolean {
  return now.getTime() - task.firstDueTime.getTime() > GIVE_UP_AFTER_MS;
}
