import { moneyText } from "#kit/pure/money.ts";
import type { WorkflowClient } from "#kit/temporal/workflow-client.ts";
import {
  cancelSignal,
  cancelUpdate,
  captureUpdate,
  type GatewayCallback,
  gatewayCallbackSignal,
  PAYMENT_TASK_QUEUE,
  PAYMENT_WORKFLOW,
  type PaymentWorkflowInput,
  RECONCILE_WORKFLOW,
  REFUND_WORKFLOW,
  type ReconcileWorkflowInput,
  type RefundWorkflowInput,
} from "../contract.ts";
import { amountOf, keysOf, type Payment, phaseText } from "../domain/payment.ts";
import type { PaymentPolicy } from "../domain/policy.ts";
import type { Workflows } from "./workflows.ts";

const taskQueue = PAYMENT_TASK_QUEUE;

/** Payment's workflows on Temporal: ids, inputs and messages as the contract names them. */
export function temporalWorkflows(client: WorkflowClient, policy: PaymentPolicy): Workflows {
  return {
    startPayment: (payment, callbacks) =>
      client.start({
        type: PAYMENT_WORKFLOW,
        workflowId: keysOf.workflow(payment.paymentId),
        taskQueue,
        input: paymentInput(payment, policy, callbacks),
        mode: callbacks === undefined ? "first" : "again",
        summary: `payment of ${payment.amount} ${payment.currencyCode} minor units from ${payment.accountId}`,
      }),
    startRefund(refund, accountId, mode) {
      const { tenant, refundId, paymentId, providerKey } = refund;
      const amount = moneyText(amountOf(refund));
      const input: RefundWorkflowInput = {
        ...{ tenant, refundId, paymentId, accountId, amount, policy },
        ...(providerKey === undefined ? {} : { providerKey }),
      };
      const workflowId = keysOf.refundWorkflow(refundId);
      const summary = `refund of payment ${paymentId}`;
      return client.start({ type: REFUND_WORKFLOW, workflowId, taskQueue, input, mode, summary });
    },
    startReconcile({ tenant, paymentId }) {
      const input: ReconcileWorkflowInput = { tenant, paymentId, policy };
      const workflowId = keysOf.reconcileWorkflow(paymentId);
      const summary = `reconcile payment ${paymentId}`;
      return client.start({
        type: RECONCILE_WORKFLOW,
        workflowId,
        taskQueue,
        input,
        mode: "again",
        summary,
      });
    },
    signalCallback: (paymentId, callback) =>
      client.signal(keysOf.workflow(paymentId), gatewayCallbackSignal, callback),
    cancel: (paymentId, requestId, timeoutMs) =>
      client.update(keysOf.workflow(paymentId), cancelUpdate, {
        updateId: `cancel:${requestId}`,
        payload: { requestId },
        timeoutMs,
      }),
    signalCancel: (paymentId, requestId) =>
      client.signal(keysOf.workflow(paymentId), cancelSignal, { requestId }),
    capture: (paymentId, { requestId, amount }, timeoutMs) =>
      client.update(keysOf.workflow(paymentId), captureUpdate, {
        updateId: `capture:${requestId}`,
        payload: { requestId, amount: amount.toString() },
        timeoutMs,
      }),
  };
}

/** The saga's input from the row; callbacks are given on every start but the first, and with them what the row knows. */
export function paymentInput(
  payment: Payment,
  policy: PaymentPolicy,
  callbacks: readonly GatewayCallback[] | undefined,
): PaymentWorkflowInput {
  const { tenant, paymentId, accountId, method, captureMode } = payment;
  const amount = moneyText(amountOf(payment));
  const input = { tenant, paymentId, accountId, amount, method, captureMode, policy };
  if (callbacks === undefined) return input;
  return {
    ...input,
    resume: {
      phase: phaseText(payment.phase),
      gatewayStartMs: payment.gatewayStartTime?.getTime() ?? null,
      captureStartMs: payment.captureStartTime?.getTime() ?? null,
      callbacks,
    },
  };
}
