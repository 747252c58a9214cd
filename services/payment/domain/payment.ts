import type { Money } from "#kit/pure/money.ts";

/** Where a payment is; the names of `payment.v1.PaymentStatus` without their prefix. */
export type PaymentStatus =
  | "PENDING"
  | "PROCESSING"
  | "REQUIRES_CAPTURE"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELLED"
  | "PARTIALLY_REFUNDED"
  | "REFUNDED"
  | "NEEDS_REVIEW";

/** The step a payment is at; the names of `payment.v1.PaymentStep` without their prefix. */
export type PaymentStep =
  | "INITIALIZE"
  | "VALIDATE_ACCOUNT"
  | "DEBIT_ACCOUNT"
  | "FRAUD_CHECK"
  | "GATEWAY"
  | "AWAIT_CALLBACK"
  | "CAPTURE"
  | "NOTIFY_USER"
  | "COMPENSATE"
  | "DONE";

/**
 * The one decision of a payment, written once: from OPEN either to CAPTURING, after which it can only settle, or to
 * UNDOING, after which it can only be undone. Everything that could decide goes through it and follows what it finds.
 */
export type Phase =
  | { readonly kind: "OPEN" }
  | { readonly kind: "CAPTURING"; readonly amount: bigint; readonly requestId: string }
  | { readonly kind: "UNDOING"; readonly reason: string };

/** The phase as payloads carry it, where there are no bigints. */
export function phaseText(phase: Phase) {
  return phase.kind === "CAPTURING" ? { ...phase, amount: phase.amount.toString() } : phase;
}

/** A phase that was decided. */
export type DecidedPhase = Exclude<Phase, { kind: "OPEN" }>;

/** Whether two decisions are one: the same request's capture, or an undo for the same reason. */
export function isSamePhase(one: Phase, other: Phase): boolean {
  if (one.kind === "CAPTURING") {
    return other.kind === "CAPTURING" && one.requestId === other.requestId;
  }
  if (one.kind === "UNDOING") return other.kind === "UNDOING" && one.reason === other.reason;
  return other.kind === "OPEN";
}

/** What the payer is told; at most one message per payment and event. */
export type PaymentEvent = "succeeded" | "failed" | "cancelled";

/** Numbers of `common.v1.PaymentMethod.Mock.Behaviour`. */
const MOCK_BEHAVIOURS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const;

/** What the mock provider is asked to do; a number of `common.v1.PaymentMethod.Mock.Behaviour`. */
export type MockBehaviour = (typeof MOCK_BEHAVIOURS)[number];

/** A behaviour as the wire numbers it; a number that is not known counts as unspecified. */
export function mockBehaviour(value: number): MockBehaviour {
  return MOCK_BEHAVIOURS.find((behaviour) => behaviour === value) ?? 0;
}

/** How the payer pays. */
export type PaymentMethod =
  | { readonly kind: "mock"; readonly behaviour: MockBehaviour; readonly flakyAttempts: number }
  | { readonly kind: "card_token"; readonly token: string };

/** Why a payment or refund ended without success. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** One change of the row. */
export interface TimelineEntry {
  readonly time: Date;
  readonly status: PaymentStatus;
  readonly step: PaymentStep;
  readonly message: string;
}

/** One payment as stored. Amounts are minor units of `currencyCode`. */
export interface Payment {
  readonly tenant: string;
  readonly paymentId: string;
  /** Who asked for it; empty in rows from before that was kept. */
  readonly subject: string;
  /** Unique per tenant and subject: one payment per request id. */
  readonly requestId: string;
  readonly requestHash: string;
  readonly accountId: string;
  readonly currencyCode: string;
  readonly amount: bigint;
  readonly capturedAmount: bigint;
  readonly refundedAmount: bigint;
  /** Of refunds under way. captured − refunded − reserved is never below 0. */
  readonly reservedAmount: bigint;
  readonly method: PaymentMethod;
  readonly captureMode: "AUTOMATIC" | "MANUAL";
  readonly description: string;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly orderId: string;
  readonly status: PaymentStatus;
  readonly step: PaymentStep;
  readonly failure: Failure | null;
  readonly phase: Phase;
  readonly final: boolean;
  /** A final event whose message is not stored yet. */
  readonly notify: PaymentEvent | null;
  readonly gatewayReference: string;
  /** When the gateway step began, once the payment waits for it; deadlines count from here after a restart. */
  readonly gatewayStartTime: Date | null;
  /** When the payment began to wait for Capture. */
  readonly captureStartTime: Date | null;
  readonly timeline: readonly TimelineEntry[];
  readonly version: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
  readonly finalTime: Date | null;
  /** When the sweeper looks next, unless the payment is final by then. */
  readonly sweepTime: Date;
  /** Set once a task was opened for it, so that only such an end looks for tasks to close. */
  readonly hasTasks?: true;
}

/** Where a refund is. */
export type RefundStatus = "PENDING" | "SUCCEEDED" | "FAILED";

/** One refund as stored. */
export interface Refund {
  readonly tenant: string;
  readonly refundId: string;
  readonly paymentId: string;
  readonly currencyCode: string;
  readonly amount: bigint;
  readonly status: RefundStatus;
  readonly reason: string;
  readonly failure: Failure | null;
  readonly notify: "refunded" | null;
  /** The provider's key of a refund that it made by itself; absent for one that was asked for here. */
  readonly providerKey?: string;
  readonly version: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
  readonly sweepTime: Date;
  /** Set once a task was opened for it. */
  readonly hasTasks?: true;
}

const SYSTEM_ACCOUNT = /^(external:|provider:|suspense)/;

/** Whether the account belongs to the house; nobody pays from one. */
export function isSystemAccount(accountId: string): boolean {
  return SYSTEM_ACCOUNT.test(accountId);
}

/** What was asked for. */
export function amountOf(payment: Pick<Payment, "currencyCode" | "amount">): Money {
  return { currencyCode: payment.currencyCode, minorUnits: payment.amount };
}

/** How much of a settled payment can still be given back. */
export function refundable(
  payment: Pick<Payment, "capturedAmount" | "refundedAmount" | "reservedAmount">,
): bigint {
  return payment.capturedAmount - payment.refundedAmount - payment.reservedAmount;
}

/** The payment as it was when it was accepted: what every repeat of Create answers. */
export function asAccepted(payment: Payment): Payment {
  return {
    ...payment,
    capturedAmount: 0n,
    refundedAmount: 0n,
    reservedAmount: 0n,
    status: "PENDING",
    step: "INITIALIZE",
    failure: null,
    phase: { kind: "OPEN" },
    final: false,
    notify: null,
    gatewayReference: "",
    gatewayStartTime: null,
    captureStartTime: null,
    timeline: payment.timeline.slice(0, 1),
    version: 1n,
    updateTime: payment.createTime,
    finalTime: null,
  };
}

/** The source system's four values. */
export function fourValueView(
  status: PaymentStatus,
): "pending" | "processing" | "success" | "fail" {
  switch (status) {
    case "PENDING":
      return "pending";
    case "PROCESSING":
    case "REQUIRES_CAPTURE":
    case "NEEDS_REVIEW":
      return "processing";
    case "SUCCEEDED":
    case "PARTIALLY_REFUNDED":
    case "REFUNDED":
      return "success";
    case "FAILED":
    case "CANCELLED":
      return "fail";
  }
}

/** How far Create may wait; see `payment.v1.WaitUntil`. */
export type WaitUntil = "ACCEPTED" | "VALIDATED" | "AUTHORIZED" | "COMPLETED";

/** Steps that a payment waits at only when its hold was placed. A step that merely takes longer may be the hold itself. */
const BEHIND_HOLD: ReadonlySet<PaymentStep> = new Set(["AWAIT_CALLBACK", "FRAUD_CHECK", "CAPTURE"]);

/** Whether the row shows that the payment got as far as the caller wants to know. */
export function hasReached(payment: Payment, until: WaitUntil): boolean {
  const settledOrParked =
    payment.final || payment.status === "REQUIRES_CAPTURE" || payment.status === "NEEDS_REVIEW";
  switch (until) {
    case "ACCEPTED":
      return true;
    case "VALIDATED":
      return settledOrParked || payment.phase.kind !== "OPEN" || BEHIND_HOLD.has(payment.step);
    case "AUTHORIZED":
      return settledOrParked || payment.phase.kind !== "OPEN";
    case "COMPLETED":
      return settledOrParked;
  }
}

/** Names that a payment's parts have in the other services. A repeat of a step uses the same name. */
export const keysOf = {
  workflow: (paymentId: string) => `payment-${paymentId}`,
  hold: (paymentId: string) => `${paymentId}:hold`,
  capture: (paymentId: string) => `${paymentId}:capture`,
  authorize: (paymentId: string) => `${paymentId}:authorize`,
  void: (paymentId: string) => `${paymentId}:void`,
  lateRefund: (paymentId: string) => `${paymentId}:late-refund`,
  suspense: (paymentId: string) => `${paymentId}:suspense`,
  fraudCheck: (paymentId: string) => `${paymentId}:fraud-check`,
  fraudWorkflow: (paymentId: string) => `fraud-check-${paymentId}`,
  reconcileWorkflow: (paymentId: string) => `reconcile-${paymentId}`,
  notification: (id: string, event: string) => `${id}:${event}`,
  refund: (refundId: string) => `${refundId}:refund`,
  refundWorkflow: (refundId: string) => `refund-${refundId}`,
  providerAccount: (currencyCode: string) => `provider:mock:${currencyCode}`,
  suspenseAccount: (currencyCode: string) => `suspense:${currencyCode}`,
} as const;

/** A payment method in the shape that `common.v1.PaymentMethod` is made from. */
export function methodInit(method: PaymentMethod) {
  if (method.kind === "card_token") {
    return { method: { case: "cardToken" as const, value: { token: method.token } } };
  }
  const { behaviour, flakyAttempts } = method;
  return { method: { case: "mock" as const, value: { behaviour, flakyAttempts } } };
}

/**
 * The etag of a payment as it is now: opaque to callers, another one after every change that anybody can see, those of
 * its own saga included.
 */
export function etagOf(payment: Pick<Payment, "version">): string {
  return `"${payment.version}"`;
}
