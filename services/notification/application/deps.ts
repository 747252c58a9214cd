import type { Log } from "#kit/log.ts";
import type { SenderPolicy } from "../domain/retry.ts";
import type { NotificationStore } from "../store/port.ts";
import type { Deliver } from "./deliver.ts";

/** What Notification's application functions work with. */
export interface NotificationDeps {
  readonly store: NotificationStore;
  readonly log: Log;
  readonly clock: () => Date;
  /** Called when a message was stored, so that it does not wait for the next round. */
  readonly wakeSender: () => void;
}

/** What the sender works with. */
export interface SenderDeps extends Omit<NotificationDeps, "wakeSender"> {
  readonly deliver: Deliver;
  readonly policy: SenderPolicy;
  /** 0 to 1; tests fix it. */
  readonly random: () => number;
}
