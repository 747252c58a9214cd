/** Task queue of Notification's activities. */
export const NOTIFICATION_TASK_QUEUE = "notification-activity-tasks";

/** How a message travels. */
export type NotificationChannel = "EMAIL" | "SMS";

/** What a message tells; the texts are in `domain/templates.ts`. */
export type NotificationTemplate =
  | "PAYMENT_SUCCEEDED"
  | "PAYMENT_FAILED"
  | "PAYMENT_CANCELLED"
  | "PAYMENT_REFUNDED";

/**
 * Names of the variables that the templates know. All are optional: a missing one is written around, never shown
 * as a gap. Other names are stored and ignored.
 */
export const NOTIFICATION_VARIABLES = {
  /** Amount for people, `12.50 USD` (see `formatMoney`): what was taken, given back, or would have been taken. */
  amount: "amount",
  /** What was authorised, for people, where less than that was taken. */
  authorized: "authorized",
  /** What the payment was for, in the payer's words. */
  description: "description",
  /** Why it failed or was cancelled: a sentence for people, not a reason code. */
  failure: "failure",
  /** Id of the order, when there is one. */
  orderId: "orderId",
  /** ISO 4217; in webhook events only, as those below. */
  currencyCode: "currencyCode",
  /** What was authorised, or what a refund gives back: a decimal string of minor units. */
  minorUnits: "minorUnits",
  /** What was taken: a decimal string of minor units; absent for a refund. */
  capturedMinorUnits: "capturedMinorUnits",
  /** Why it failed or was cancelled: a stable reason. */
  reason: "reason",
} as const;

/** Input of `notification::payment:notify`. */
export interface NotifyInput {
  readonly tenant: string;
  /** Key of the message: `<payment>:<event>`, or `<refund>:refunded`. */
  readonly notificationId: string;
  /** An account id, an e-mail address, or a phone number in E.164. */
  readonly recipient: string;
  readonly channel: NotificationChannel;
  readonly template: NotificationTemplate;
  readonly variables: Readonly<Record<string, string>>;
  readonly paymentId: string;
}

/**
 * Notification's activities; any worker may register them. Done means stored, not delivered: delivery goes on in
 * the service, however long the channel is down.
 */
export interface NotificationActivities {
  /** Stores the message once per id. Fails for good with NOTIFICATION_ID_REUSED; anything else may be repeated. */
  "notification::payment:notify"(input: NotifyInput): Promise<Record<string, never>>;
}
