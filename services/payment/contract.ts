import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { MoneyText } from "#kit/pure/money.ts";
import type { PaymentRef } from "./domain/book.ts";
import type { PaymentMethod, PaymentStatus } from "./domain/payment.ts";
import type { PaymentPolicy } from "./domain/policy.ts";

/** Queue of the payment, refund and reconcile workflows and of Payment's own activities. */
export const PAYMENT_TASK_QUEUE = "payment-tasks";

/** Workflow type of a payment's saga, `payment-<payment id>`. */
export const PAYMENT_WORKFLOW = "PaymentWorkflow";
/** Workflow type of a refund's saga, `refund-<refund id>`. */
export const REFUND_WORKFLOW = "RefundWorkflow";
/** Workflow type that settles with the provider what came after a payment's end, `reconcile-<payment id>`. */
export const RECONCILE_WORKFLOW = "ReconcileWorkflow";

/** A phase as payloads carry it. */
export type PhaseText =
  | { readonly kind: "OPEN" }
  | { readonly kind: "CAPTURING"; readonly amount: string; readonly requestId: string }
  | { readonly kind: "UNDOING"; readonly reason: string };

/** Input of `PaymentWorkflow`, id `payment-<payment id>`. */
export interface PaymentWorkflowInput {
  readonly tenant: string;
  readonly paymentId: string;
  readonly accountId: string;
  readonly amount: MoneyText;
  readonly method: PaymentMethod;
  readonly captureMode: "AUTOMATIC" | "MANUAL";
  readonly policy: PaymentPolicy;
  /** Set on every start but the first: what the rows knew then. Deadlines count from these times. */
  readonly resume?: {
    readonly phase: PhaseText;
    /** Null: the gateway step had not begun to wait, so its time begins when it does. */
    readonly gatewayStartMs: number | null;
    readonly captureStartMs: number | null;
    /** Answers of the provider that an earlier run may have been told; absent in inputs of older code. */
    readonly callbacks?: readonly GatewayCallback[];
  };
}

/** How a payment ended. */
export interface PaymentOutcome {
  readonly status: PaymentStatus;
  readonly reason: string;
  /** Minor units that were taken; absent when none were, and in answers of older code. */
  readonly captured?: string;
}

/** What the provider's callback said; `eventId` makes a repeat harmless. */
export interface GatewayCallback {
  readonly eventId: string;
  readonly outcome: "AUTHORIZED" | "DECLINED";
  readonly gatewayReference: string;
  readonly reason: string;
}

/** The provider's answer to an authorisation, after the signature was checked and the callback stored. */
export const gatewayCallbackSignal = defineSignal<[GatewayCallback]>("gateway-callback");

/** The fraud child tells that a person must decide. */
export const fraudReviewSignal =
  defineSignal<[{ readonly checkId: string; readonly createTimeMs: number }]>("fraud-review");

/** Cancel without an answer; the update below is the way to get one. */
export const cancelSignal = defineSignal<[{ readonly requestId: string }]>("cancel-payment");

/** Undoes the payment if it is not settled yet; answers how it ended. Update id = request_id. */
export const cancelUpdate = defineUpdate<PaymentOutcome, [{ readonly requestId: string }]>(
  "cancel",
);

/** Settles a payment that waits for it; answers how it ended. Update id = request_id. Amount in minor units. */
export const captureUpdate = defineUpdate<
  PaymentOutcome,
  [{ readonly requestId: string; readonly amount: string }]
>("capture");

/** The step, in the source system's words: `payment-step::initialize` and so on. */
export const currentStepQuery = defineQuery<string>("current-step");

/** Where the payment is, as the workflow sees it. The row is the truth. */
export const statusQuery = defineQuery<PaymentOutcome & { readonly step: string }>("status");

/** Input of `RefundWorkflow`, id `refund-<refund id>`. */
export interface RefundWorkflowInput {
  readonly tenant: string;
  readonly refundId: string;
  readonly paymentId: string;
  readonly accountId: string;
  readonly amount: MoneyText;
  readonly policy: PaymentPolicy;
  /** Set when the provider made it by itself, so that it must not be asked for again. */
  readonly providerKey?: string;
}

/** Input of `ReconcileWorkflow`, id `reconcile-<payment id>`. */
export interface ReconcileWorkflowInput {
  readonly tenant: string;
  readonly paymentId: string;
  readonly policy: PaymentPolicy;
}

export type { PaymentRef };

/** Answer of `gateway::authorize` and `gateway::query`. */
export type AuthorizeOutcome =
  | { readonly outcome: "AUTHORIZED" | "PENDING" | "VOIDED" | "UNKNOWN" }
  | { readonly outcome: "DECLINED"; readonly message: string };

/** Answer of `gateway::void`: undone, or the payment is being captured after all. */
export type VoidOutcome =
  | { readonly outcome: "VOIDED"; readonly reason: string }
  | { readonly outcome: "CAPTURING"; readonly amount: string; readonly requestId: string };

/** Answer of `payment::settle`: settled, declined for good by the provider, or the payment is being undone. */
export type SettleOutcome =
  /** Minor units that were taken; absent in answers of older code, which took what was proposed. */
  | { readonly outcome: "SUCCEEDED"; readonly captured?: string }
  | { readonly outcome: "DECLINED" }
  | { readonly outcome: "UNDOING"; readonly reason: string };

/** Answer of `payment::park`: what the row says, parked or not. Without `phase` it was made by older code. */
export interface Parked {
  readonly captureStartMs: number | null;
  readonly phase?: PhaseText;
}

/** Payment's own activities, on `payment-tasks`. Each repeats with the same keys and answers the same. */
export interface PaymentActivities {
  /** Asks the provider; writes the row when the answer is PENDING. Never fails for good. */
  "gateway::authorize"(
    input: PaymentRef & {
      readonly amount: MoneyText;
      readonly method: PaymentMethod;
      readonly gatewayStartMs: number;
    },
  ): Promise<AuthorizeOutcome>;
  /** Asks the provider what became of the authorisation, without any effect. */
  "gateway::query"(input: PaymentRef): Promise<AuthorizeOutcome>;
  /** Decides UNDOING, then gives the authorisation up or the captured money back, until answered. */
  "gateway::void"(input: PaymentRef & { readonly reason: string }): Promise<VoidOutcome>;
  /** For a closed payment: makes the provider's book agree with ours, then closes its callbacks. */
  "gateway::reconcile"(input: PaymentRef): Promise<{ readonly action: string }>;
  /** Writes that the payment waits, and opens a task where a person must act. */
  "payment::park"(
    input: PaymentRef & {
      readonly status: "PROCESSING" | "NEEDS_REVIEW" | "REQUIRES_CAPTURE";
      readonly step: "FRAUD_CHECK" | "AWAIT_CALLBACK" | "GATEWAY" | "CAPTURE" | "DEBIT_ACCOUNT";
      readonly message: string;
    },
  ): Promise<Parked>;
  /** Decides CAPTURING, takes the money at the provider and in the ledger, and writes the final row. */
  "payment::settle"(
    input: PaymentRef & {
      readonly amount: MoneyText;
      readonly requestId: string;
      readonly eventIds: readonly string[];
    },
  ): Promise<SettleOutcome>;
  /** Writes the final row of a payment that was undone or never began. */
  "payment::fail"(
    input: PaymentRef & {
      readonly reason: string;
      readonly message: string;
      readonly eventIds: readonly string[];
    },
  ): Promise<PaymentOutcome>;
  /** Clears the row's pending notification. */
  "payment::notified"(
    input: PaymentRef & { readonly event: string },
  ): Promise<Record<string, never>>;
  /** Opens a task for a person; a repeat opens none. */
  "payment::open-task"(
    input: PaymentRef & {
      /** Set when the task is about a refund. */
      readonly refundId?: string;
      readonly kind: string;
      readonly detail: string;
    },
  ): Promise<Record<string, never>>;
  /** Gives money back at the provider and in the ledger, and writes the refund's final row. */
  "payment::refund"(
    input: PaymentRef & {
      readonly refundId: string;
      readonly accountId: string;
      readonly amount: MoneyText;
      readonly providerKey?: string;
    },
  ): Promise<{ readonly status: "SUCCEEDED" | "FAILED" }>;
  /** Clears the refund's pending notification. */
  "payment::refund-notified"(input: {
    readonly tenant: string;
    readonly refundId: string;
  }): Promise<Record<string, never>>;
}
