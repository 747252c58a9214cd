import {
  CaptureMode,
  type Payment,
  PaymentStatus,
  PaymentStep,
} from "#gen/payment/v1/payment_pb.ts";
import { CommandFailure, EXIT_OPEN, EXIT_UNSUCCESSFUL } from "../errors.ts";
import { enumText, fields, money, time } from "../output.ts";
import type { Column } from "../table.ts";

/** Whether nothing but a refund can change the payment any more. */
export function isFinal(status: PaymentStatus): boolean {
  return FINAL.has(status);
}

const FINAL: ReadonlySet<PaymentStatus> = new Set([
  PaymentStatus.SUCCEEDED,
  PaymentStatus.FAILED,
  PaymentStatus.CANCELLED,
  PaymentStatus.PARTIALLY_REFUNDED,
  PaymentStatus.REFUNDED,
]);

/** 0 when the money was taken, though it may have been given back since. */
export function exitCodeOf(status: PaymentStatus): number {
  if (!isFinal(status)) return EXIT_OPEN;
  const failed = status === PaymentStatus.FAILED || status === PaymentStatus.CANCELLED;
  return failed ? EXIT_UNSUCCESSFUL : 0;
}

/** A payment with its timeline, for people. */
export function paymentLines(payment: Payment): readonly string[] {
  const { failure } = payment;
  return [
    ...fields([
      ["payment", payment.paymentId],
      ["status", enumText(PaymentStatus, payment.status)],
      ["step", enumText(PaymentStep, payment.step)],
      ["failure", failure ? `${failure.reason}: ${failure.message}` : ""],
      ["account", payment.accountId],
      ["amount", money(payment.amount)],
      ["captured", money(payment.capturedAmount)],
      ["refunded", money(payment.refundedAmount)],
      ["capture mode", enumText(CaptureMode, payment.captureMode)],
      ["description", payment.description],
      ["order", payment.orderId],
      ["gateway reference", payment.gatewayReference],
      ["workflow", payment.workflowId],
      ["created", time(payment.createTime)],
      ["updated", time(payment.updateTime)],
    ]),
    ...payment.timeline.map(
      (entry) =>
        `  ${time(entry.time)}  ${enumText(PaymentStatus, entry.status).padEnd(18)}  ${entry.message}`,
    ),
  ];
}

/** One line per change, for `watch`. */
export function changeLine(payment: Payment): string {
  const last = payment.timeline.at(-1);
  const failure = payment.failure ? `${payment.failure.reason}: ${payment.failure.message}` : "";
  return `${time(payment.updateTime)}  ${enumText(PaymentStatus, payment.status).padEnd(18)}  ${last?.message || failure}`.trimEnd();
}

/** Columns of a list of payments. */
export const paymentColumns: readonly Column<Payment>[] = [
  { title: "PAYMENT", cell: (payment) => payment.paymentId },
  { title: "STATUS", cell: (payment) => enumText(PaymentStatus, payment.status) },
  { title: "AMOUNT", cell: (payment) => money(payment.amount), right: true },
  { title: "ACCOUNT", cell: (payment) => payment.accountId },
  { title: "CREATED", cell: (payment) => time(payment.createTime) },
  { title: "REASON", cell: (payment) => payment.failure?.reason ?? "" },
];

/** The object an answer must bring; its absence means that something else than Settle answered. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new CommandFailure(
      "the answer is empty",
      "settle doctor shows what listens at the address",
    );
  }
  return value;
}
