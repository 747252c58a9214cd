/** How long Notification keeps what it has done with, in milliseconds. Deliveries that arrived: `SETTLE_WEBHOOK_KEEP`. */
export interface NotificationRetention {
  /** Answers to request ids. Default 400 days. */
  readonly requestsKeptMs: number;
  /**
   * Messages that were sent or given up, dead deliveries, and the numbering of a payment's events. Default 400 days; an
   * audit does not miss a message that is older.
   */
  readonly messagesKeptMs: number;
  /** The embedded inbox. Default 30 days. */
  readonly inboxKeptMs: number;
}
