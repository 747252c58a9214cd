/** A payment as its owner's row says. Amounts are minor units of `currencyCode`. */
export interface PaymentBook {
  readonly paymentId: string;
  readonly requestId: string;
  readonly accountId: string;
  readonly currencyCode: string;
  readonly amount: bigint;
  readonly capturedAmount: bigint;
  readonly refundedAmount: bigint;
  readonly reservedAmount: bigint;
  readonly status: string;
  readonly phase: string;
  /** Amount of phase CAPTURING, else null. */
  readonly phaseAmount: bigint | null;
  readonly failureReason: string;
  readonly final: boolean;
  /** Whether the message about how it ended is still to be stored. */
  readonly notifyPending: boolean;
  /** Rises with every write of the row. */
  readonly version: bigint;
  readonly createTime: Date | undefined;
  /** When it ended; undefined while it is open. */
  readonly finalTime: Date | undefined;
}

/** A refund as its owner's row says. */
export interface RefundBook {
  readonly refundId: string;
  readonly amount: bigint;
  readonly currencyCode: string;
  /** PENDING, SUCCEEDED or FAILED. */
  readonly status: string;
  readonly notifyPending: boolean;
  /** Of an ended refund, when it ended. */
  readonly updateTime: Date | undefined;
}

/** A hold of the ledger. */
export interface HoldBook {
  readonly holdId: string;
  readonly accountId: string;
  readonly destinationAccountId: string;
  readonly currencyCode: string;
  readonly amount: bigint;
  readonly capturedAmount: bigint;
  readonly state: string;
  readonly transactionId: string;
}

/** A transfer of the ledger. */
export interface TransferBook {
  readonly transactionId: string;
  readonly sourceAccountId: string;
  readonly destinationAccountId: string;
  readonly currencyCode: string;
  readonly amount: bigint;
  readonly state: string;
}

/** A message to the payer. */
export interface NoticeBook {
  readonly notificationId: string;
  readonly paymentId: string;
  readonly template: string;
  /** What it tells, by the names of its variables. */
  readonly told: ReadonlyMap<string, string>;
  /** What the payer reads. */
  readonly text: string;
}

/** A task for a person. */
export interface TaskBook {
  readonly taskId: string;
  readonly paymentId: string;
  /** Empty unless it is about a refund. */
  readonly refundId: string;
  readonly kind: string;
  readonly detail: string;
  readonly createTime: Date | undefined;
}

/** What an account's payments add up to in Fraud, by its own sum and by its checks. */
export interface TallyBook {
  /** `<account>:<currency>`. */
  readonly name: string;
  readonly tally: bigint;
  readonly checks: bigint;
}

/** A fraud check. */
export interface CheckBook {
  readonly decision: string;
  /** Minor units it still adds to its account's tally. */
  readonly tallied: bigint;
}

/** A transaction of the provider. */
export interface GatewayBook {
  readonly authorizationKey: string;
  /** The payment, by the provider's account. */
  readonly merchantReference: string;
  readonly currencyCode: string;
  readonly amount: bigint;
  readonly capturedAmount: bigint;
  readonly refundedAmount: bigint;
  readonly state: string;
  readonly updateTime: Date;
}

/** Everything the snapshot has about one payment. */
export interface PaymentCase {
  readonly payment: PaymentBook;
  readonly refunds: readonly RefundBook[];
  readonly hold: HoldBook | undefined;
  /** By transaction id: those that a payment or its refunds can have. */
  readonly transfers: ReadonlyMap<string, TransferBook>;
  /** By notification id. */
  readonly notices: ReadonlyMap<string, NoticeBook>;
  readonly check: CheckBook | undefined;
  /** Whether a callback of the provider is stored and not dealt with. */
  readonly callbackOpen: boolean;
}

/** Names that a payment's parts have in the other services. */
export const namesOf = {
  hold: (paymentId: string) => `${paymentId}:hold`,
  capture: (paymentId: string) => `${paymentId}:capture`,
  suspense: (paymentId: string) => `${paymentId}:suspense`,
  authorize: (paymentId: string) => `${paymentId}:authorize`,
  fraudCheck: (paymentId: string) => `${paymentId}:fraud-check`,
  refund: (refundId: string) => `${refundId}:refund`,
  refundSuspense: (refundId: string) => `${refundId}:refund:suspense`,
  reversal: (transactionId: string) => `${transactionId}:reversal`,
  notice: (id: string, event: string) => `${id}:${event}`,
  suspenseAccount: (currencyCode: string) => `suspense:${currencyCode}`,
} as const;

/** Begins the id of every account that keeps money until somebody knows whose it is. */
export const SUSPENSE_PREFIX = "suspense:";

/** Begins the id of every account that stands for a provider. */
export const PROVIDER_PREFIX = "provider:";

/** Whether the task asks for something only while its payment or refund is open. */
export function isTaskOfOpen(kind: string): boolean {
  return ["FRAUD_REVIEW", "STEP_STUCK", "COMPENSATION_FAILED"].includes(kind);
}

/** How each final event is told, and the statuses that stand for it. */
export const FINAL_EVENTS = [
  {
    event: "succeeded",
    template: "PAYMENT_SUCCEEDED",
    statuses: ["SUCCEEDED", "PARTIALLY_REFUNDED", "REFUNDED"],
  },
  { event: "failed", template: "PAYMENT_FAILED", statuses: ["FAILED"] },
  { event: "cancelled", template: "PAYMENT_CANCELLED", statuses: ["CANCELLED"] },
] as const;

/** How a final status is told; undefined when the status is not final. */
export function finalEventOf(status: string): (typeof FINAL_EVENTS)[number] | undefined {
  return FINAL_EVENTS.find(({ statuses }) => statuses.some((one) => one === status));
}

/** Whether the status is one of a payment that settled, given back or not. */
export function isSettled(status: string): boolean {
  return status === "SUCCEEDED" || status === "PARTIALLY_REFUNDED" || status === "REFUNDED";
}

/** Whether the status is one of a payment that was undone. */
export function isUndone(status: string): boolean {
  return status === "FAILED" || status === "CANCELLED";
}

/** Whether something is still to be done for the payment; it is counted as open. */
export function isOpen(books: PaymentCase): boolean {
  return (
    !books.payment.final ||
    books.payment.notifyPending ||
    books.callbackOpen ||
    books.refunds.some((refund) => refund.status === "PENDING" || refund.notifyPending)
  );
}
