import type { Start } from "#kit/temporal/workflow-client.ts";
import type { GatewayCallback, PaymentOutcome } from "../contract.ts";
import type { Payment, Refund } from "../domain/payment.ts";

/** Temporal as the application sees it. Every call is bounded in time; errors are thrown as Temporal's client throws them. */
export interface Workflows {
  /**
   * Starts the saga of a payment. Without callbacks only if it never ran (REJECT_DUPLICATE, eager). With them if it does
   * not run now; the run goes on from what the row and the callbacks say.
   */
  startPayment(payment: Payment, callbacks?: readonly GatewayCallback[]): Promise<Start>;
  startRefund(refund: Refund, accountId: string, mode: "first" | "again"): Promise<Start>;
  startReconcile(payment: Pick<Payment, "tenant" | "paymentId">): Promise<Start>;
  /** False when no run of the payment is open. */
  signalCallback(paymentId: string, callback: GatewayCallback): Promise<boolean>;
  /** Undefined when no run is open, or when it did not answer within the time. Throws what the workflow refused with. */
  cancel(
    paymentId: string,
    requestId: string,
    timeoutMs: number,
  ): Promise<PaymentOutcome | undefined>;
  /** Cancels without an answer, but durably: a signal outlives a lost task, an update does not. */
  signalCancel(paymentId: string, requestId: string): Promise<boolean>;
  capture(
    paymentId: string,
    capture: { readonly requestId: string; readonly amount: bigint },
    timeoutMs: number,
  ): Promise<PaymentOutcome | undefined>;
}
