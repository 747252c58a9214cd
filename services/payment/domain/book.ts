import type { GatewayEventOutcome } from "./gateway-event.ts";
import type { DecidedPhase, Failure, Payment, PaymentEvent, Refund } from "./payment.ts";

/** A payment of a tenant. */
export interface PaymentRef {
  readonly tenant: string;
  readonly paymentId: string;
}

/** The rows of a payment as its activities may change them; the service gives them the application, not the wire. */
export interface PaymentBook {
  find(ref: PaymentRef): Promise<Payment>;
  claimPhase(ref: PaymentRef, phase: DecidedPhase): Promise<Payment>;
  park(
    ref: PaymentRef,
    change: {
      readonly status: "PROCESSING" | "NEEDS_REVIEW" | "REQUIRES_CAPTURE";
      readonly step: "FRAUD_CHECK" | "AWAIT_CALLBACK" | "GATEWAY" | "CAPTURE" | "DEBIT_ACCOUNT";
      readonly message: string;
      readonly gatewayReference?: string;
      readonly gatewayStartTime?: Date;
      readonly captureStartTime?: Date;
    },
  ): Promise<Payment>;
  /** Ends a payment that was captured. */
  succeed(
    ref: PaymentRef,
    end: { readonly capturedAmount: bigint; readonly gatewayReference: string },
    eventIds: readonly string[],
  ): Promise<Payment>;
  /** Ends a payment that was undone, or never began. */
  fail(ref: PaymentRef, failure: Failure, eventIds: readonly string[]): Promise<Payment>;
  notified(ref: PaymentRef, event: PaymentEvent): Promise<void>;
  /** Opens a task for a person, once per payment, or per refund if the reference has one, and kind. */
  openTask(
    ref: PaymentRef & { readonly refundId?: string },
    kind: string,
    detail: string,
  ): Promise<void>;
  /** The payment's callbacks that are not done. */
  pendingEvents(
    ref: PaymentRef,
  ): Promise<readonly { readonly eventId: string; readonly outcome: GatewayEventOutcome }[]>;
  finishEvents(ref: PaymentRef, eventIds: readonly string[]): Promise<void>;
  /** The provider gave the authorisation up by itself: decides the undo and tells the run. */
  voidedByProvider(ref: PaymentRef): Promise<void>;
  /** The provider gave money back by itself: books it once per key, like a refund that was asked for. Minor units. */
  refundedByProvider(
    ref: PaymentRef,
    refund: { readonly key: string; readonly minorUnits: bigint },
  ): Promise<void>;
  finishRefund(tenant: string, refundId: string, failure: Failure | null): Promise<Refund>;
  refundNotified(tenant: string, refundId: string): Promise<void>;
}
