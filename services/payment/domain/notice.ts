import { formatMoney, type Money } from "#kit/pure/money.ts";
import { messageOf } from "../reasons.ts";
import type { PaymentEvent, PaymentStatus } from "./payment.ts";
import { keysOf } from "./payment.ts";

/** The message about how a payment ended; the same whether the saga or the sweeper sends it. */
export interface Notice {
  readonly notificationId: string;
  readonly recipient: string;
  readonly channel: "EMAIL";
  readonly template:
    | "PAYMENT_SUCCEEDED"
    | "PAYMENT_FAILED"
    | "PAYMENT_CANCELLED"
    | "PAYMENT_REFUNDED";
  readonly variables: Readonly<Record<string, string>>;
  readonly paymentId: string;
}

/** The event a final status is told as. */
export function eventOf(status: PaymentStatus): PaymentEvent {
  if (status === "CANCELLED") return "cancelled";
  return status === "FAILED" ? "failed" : "succeeded";
}

const TEMPLATES = {
  succeeded: "PAYMENT_SUCCEEDED",
  failed: "PAYMENT_FAILED",
  cancelled: "PAYMENT_CANCELLED",
  refunded: "PAYMENT_REFUNDED",
} as const;

/** Builds the message. `id` is the payment's id, or the refund's. It holds nothing that a later run could know otherwise. */
export function buildNotice(subject: {
  readonly id: string;
  readonly paymentId: string;
  readonly accountId: string;
  /** What was asked for and authorised; of a refund, what it gives back. */
  readonly amount: Money;
  /** Minor units that were taken; 0 for a payment that took none, absent for a refund. */
  readonly captured?: bigint;
  readonly event: keyof typeof TEMPLATES;
  /** Why it failed; empty for the other events. */
  readonly reason: string;
}): Notice {
  const failure = messageOf(subject.reason);
  const { amount, captured } = subject;
  const { currencyCode, minorUnits } = amount;
  const told =
    subject.event === "succeeded" ? { currencyCode, minorUnits: captured ?? minorUnits } : amount;
  const inPart = told.minorUnits !== minorUnits;
  return {
    notificationId: keysOf.notification(subject.id, subject.event),
    recipient: subject.accountId,
    channel: "EMAIL",
    template: TEMPLATES[subject.event],
    variables: {
      amount: formatMoney(told),
      ...(inPart ? { authorized: formatMoney(amount) } : {}),
      currencyCode,
      minorUnits: `${minorUnits}`,
      ...(captured === undefined ? {} : { capturedMinorUnits: `${captured}` }),
      ...(failure ? { failure } : {}),
      ...(subject.reason ? { reason: subject.reason } : {}),
    },
    paymentId: subject.paymentId,
  };
}
