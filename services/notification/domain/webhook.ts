import type { Notification, Template } from "./notification.ts";

/** What an event tells. */
export type EventType =
  | "payment.succeeded"
  | "payment.failed"
  | "payment.cancelled"
  | "payment.refunded";

/** An address that gets events. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  /** Empty means all. */
  readonly eventTypes: readonly string[];
  readonly description: string;
  readonly enabled: boolean;
  /** Newest last; each signs until its end. */
  readonly secrets: readonly EndpointSecret[];
  readonly version: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** A key that signs deliveries. */
export interface EndpointSecret {
  /** The call that made it: a repeat of that call finds what it made. */
  readonly id: string;
  /** As it rests: sealed, opened only to sign and to answer the call that made it. */
  readonly secret: string;
  /** When it stops signing; undefined while it is the present one. */
  readonly endTime: Date | undefined;
}

/** Where a delivery is. */
export type DeliveryState = "PENDING" | "DELIVERED" | "DEAD";

/** One event on its way to one endpoint. */
export interface WebhookDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly paymentId: string;
  readonly sequence: number;
  /** What is posted, to the byte. */
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** 0 when there was no answer. */
  readonly lastStatus: number;
  readonly lastError: string;
  readonly nextTime: Date;
  /** When it was made or last sent again; giving up counts from here. */
  readonly startTime: Date;
  readonly createTime: Date;
  readonly deliverTime: Date | undefined;
}

/** More would make the header longer than receivers read. */
const SECRETS_MAX = 4;

const EVENTS: Readonly<Record<Template, { readonly type: EventType; readonly suffix: string }>> = {
  PAYMENT_SUCCEEDED: { type: "payment.succeeded", suffix: ":succeeded" },
  PAYMENT_FAILED: { type: "payment.failed", suffix: ":failed" },
  PAYMENT_CANCELLED: { type: "payment.cancelled", suffix: ":cancelled" },
  PAYMENT_REFUNDED: { type: "payment.refunded", suffix: ":refunded" },
};

/**
 * The event a message is about, or undefined when it is a message and no event: the events of a payment are keyed
 * `<payment>:<event>`, those of a refund `<refund>:refunded`.
 */
export function eventOf(
  message: Pick<Notification, "id" | "content">,
): { readonly type: EventType; readonly subject: string } | undefined {
  const { template, paymentId } = message.content;
  const { type, suffix } = EVENTS[template];
  if (paymentId === "" || !message.id.endsWith(suffix)) return undefined;
  const subject = message.id.slice(0, -suffix.length);
  if (subject === "" || (type !== "payment.refunded" && subject !== paymentId)) return undefined;
  return { type, subject };
}

/** Whether an endpoint wants an event. */
export function wants(endpoint: Endpoint, type: string): boolean {
  if (!endpoint.enabled) return false;
  return endpoint.eventTypes.length === 0 || endpoint.eventTypes.includes(type);
}

/** Body of a delivery: `notification.v1.WebhookEvent` as JSON. The same for every endpoint and every attempt. */
export function eventBody(
  message: Pick<Notification, "id" | "content" | "createTime">,
  sequence: number,
): string {
  const { content, createTime } = message;
  const event = eventOf(message);
  const amount = moneyIn(content.variables, "amount", "minorUnits");
  const captured = moneyIn(content.variables, "captured_amount", "capturedMinorUnits");
  const failure = content.variables.get("reason") ?? "";
  const payment = { payment_id: content.paymentId, account_id: content.recipient };
  const data =
    event?.type === "payment.refunded"
      ? { payment, refund: { refund_id: event.subject, ...amount } }
      : {
          payment: {
            ...payment,
            status: event?.type.replace("payment.", "").toUpperCase() ?? "",
            ...amount,
            ...captured,
            ...(failure === "" ? {} : { failure_reason: failure }),
          },
        };
  return JSON.stringify({
    event_id: message.id,
    type: event?.type ?? "",
    sequence,
    occurred_at: createTime.toISOString(),
    data,
  });
}

/** A message that was stored without these variables tells no amount. int64 is a string in the JSON of protobuf. */
function moneyIn(variables: ReadonlyMap<string, string>, field: string, name: string): object {
  const currencyCode = variables.get("currencyCode");
  const minorUnits = variables.get(name);
  if (currencyCode === undefined || minorUnits === undefined) return {};
  return { [field]: { currency_code: currencyCode, minor_units: minorUnits } };
}

/** The secrets that sign now, newest last. */
export function activeSecrets(secrets: readonly EndpointSecret[], now: Date): EndpointSecret[] {
  return secrets.filter(({ endTime }) => endTime === undefined || endTime > now);
}

/** The secrets after a rotation: those of before go on signing for the overlap, and no longer than they would have. */
export function rotate(
  secrets: readonly EndpointSecret[],
  fresh: Omit<EndpointSecret, "endTime">,
  now: Date,
  overlapMs: number,
): EndpointSecret[] {
  const end = new Date(now.getTime() + overlapMs);
  const ending = secrets.map((one) => ({
    ...one,
    endTime: one.endTime !== undefined && one.endTime < end ? one.endTime : end,
  }));
  const before = activeSecrets(ending, now).slice(-(SECRETS_MAX - 1));
  return [...before, { ...fresh, endTime: undefined }];
}
