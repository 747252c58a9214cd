import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { PaymentMethod as WireMethod } from "#gen/common/v1/payment_method_pb.ts";
import {
  CaptureMode,
  type Payment as PaymentMessage,
  PaymentSchema,
  PaymentStatus,
  PaymentStep,
  type Refund as RefundMessage,
  RefundSchema,
  RefundStatus,
  WaitUntil,
} from "#gen/payment/v1/payment_pb.ts";
import type { PaymentStatus as Status, WaitUntil as Until } from "../domain/payment.ts";
import {
  etagOf,
  keysOf,
  methodInit,
  mockBehaviour,
  type Payment,
  type PaymentMethod,
  type Refund,
} from "../domain/payment.ts";

/** A payment as the wire shows it. */
export function paymentToMessage(payment: Payment): PaymentMessage {
  const { paymentId, currencyCode } = payment;
  const money = (minorUnits: bigint) => ({ currencyCode, minorUnits });
  const failure: MessageInitShape<typeof PaymentSchema> = payment.failure
    ? { failure: payment.failure }
    : {};
  return create(PaymentSchema, {
    ...failure,
    paymentId,
    accountId: payment.accountId,
    amount: money(payment.amount),
    capturedAmount: money(payment.capturedAmount),
    refundedAmount: money(payment.refundedAmount),
    paymentMethod: methodInit(payment.method),
    captureMode: CaptureMode[payment.captureMode],
    status: PaymentStatus[payment.status],
    step: PaymentStep[payment.step],
    fraudCheckId: keysOf.fraudCheck(paymentId),
    gatewayReference: payment.gatewayReference,
    holdId: keysOf.hold(paymentId),
    workflowId: keysOf.workflow(paymentId),
    description: payment.description,
    metadata: Object.fromEntries(payment.metadata.map(({ key, value }) => [key, value])),
    orderId: payment.orderId || paymentId,
    timeline: payment.timeline.map((entry) => ({
      time: timestampFromDate(entry.time),
      status: PaymentStatus[entry.status],
      step: PaymentStep[entry.step],
      message: entry.message,
    })),
    createTime: timestampFromDate(payment.createTime),
    updateTime: timestampFromDate(payment.updateTime),
    etag: etagOf(payment),
  });
}

/** A refund as the wire shows it. */
export function refundToMessage(refund: Refund): RefundMessage {
  return create(RefundSchema, {
    ...(refund.failure ? { failure: refund.failure } : {}),
    refundId: refund.refundId,
    paymentId: refund.paymentId,
    amount: { currencyCode: refund.currencyCode, minorUnits: refund.amount },
    status: RefundStatus[refund.status],
    reason: refund.reason,
    byProvider: refund.providerKey !== undefined,
    createTime: timestampFromDate(refund.createTime),
    updateTime: timestampFromDate(refund.updateTime),
  });
}

/** How the payer pays; the mock provider in development when the request names nothing. */
export function methodFromMessage(message: WireMethod | undefined): PaymentMethod {
  const method = message?.method;
  if (method?.case === "cardToken") return { kind: "card_token", token: method.value.token };
  if (method?.case === "mock") {
    return {
      kind: "mock",
      behaviour: mockBehaviour(method.value.behaviour),
      flakyAttempts: method.value.flakyAttempts,
    };
  }
  return { kind: "mock", behaviour: 0, flakyAttempts: 0 };
}

const STATUSES = new Map<PaymentStatus, Status>(
  Object.entries(PaymentStatus).flatMap(([name, value]) =>
    isStatusName(name) ? [[value, name] as const] : [],
  ),
);

function isStatusName(name: string): name is Status {
  return name !== "UNSPECIFIED" && Number.isNaN(Number(name));
}

/** The status a list is narrowed to; undefined for unspecified. */
export function statusFromMessage(status: PaymentStatus): Status | undefined {
  return STATUSES.get(status);
}

/** How far Create waits. */
export function waitUntilFromMessage(until: WaitUntil): Until {
  switch (until) {
    case WaitUntil.VALIDATED:
      return "VALIDATED";
    case WaitUntil.AUTHORIZED:
      return "AUTHORIZED";
    case WaitUntil.COMPLETED:
      return "COMPLETED";
    default:
      return "ACCEPTED";
  }
}
