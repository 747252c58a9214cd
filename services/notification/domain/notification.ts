/** How a message travels. */
export type Channel = "EMAIL" | "SMS";

/** What a message tells. */
export type Template =
  | "PAYMENT_SUCCEEDED"
  | "PAYMENT_FAILED"
  | "PAYMENT_CANCELLED"
  | "PAYMENT_REFUNDED";

/** Where a message is: to be delivered, taken by the channel, or given up. */
export type Status = "QUEUED" | "SENT" | "FAILED";

/** What a caller asks for; another content under the same id is NOTIFICATION_ID_REUSED. */
export interface Content {
  /** An account id, an e-mail address, or a phone number in E.164. */
  readonly recipient: string;
  readonly channel: Channel;
  readonly template: Template;
  readonly variables: ReadonlyMap<string, string>;
  /** Empty when it is about no payment. */
  readonly paymentId: string;
}

/** One message to one person. */
export interface Notification {
  readonly id: string;
  readonly content: Content;
  /** E-mail address or phone number the channel delivers to. */
  readonly address: string;
  /** Empty for an SMS. */
  readonly subject: string;
  readonly body: string;
  readonly status: Status;
  /** Deliveries begun, also those whose process died. */
  readonly attempts: number;
  /** What the last failed attempt said; empty when there is none. */
  readonly lastError: string;
  readonly createTime: Date;
  readonly sendTime: Date | undefined;
}

/** Whether a repeat asks for the same message. */
export function sameContent(a: Content, b: Content): boolean {
  return (
    a.recipient === b.recipient &&
    a.channel === b.channel &&
    a.template === b.template &&
    a.paymentId === b.paymentId &&
    a.variables.size === b.variables.size &&
    [...a.variables].every(([name, value]) => b.variables.get(name) === value)
  );
}
