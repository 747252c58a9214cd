import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import { moneyText } from "#kit/pure/money.ts";
import {
  cancelUpdate,
  captureUpdate,
  gatewayCallbackSignal,
  PAYMENT_TASK_QUEUE,
  PAYMENT_WORKFLOW,
  type PaymentOutcome,
  type PaymentWorkflowInput,
  RECONCILE_WORKFLOW,
  REFUND_WORKFLOW,
  type ReconcileWorkflowInput,
  type RefundWorkflowInput,
} from "../contract.ts";
import { amountOf, keysOf, type Payment, type Phase } from "../domain/payment.ts";
import type { PaymentPolicy } from "../domain/policy.ts";
import type { Start, Workflows } from "./workflows.ts";

/** How long a call to Temporal may take before the sweeper is left to do the work, in milliseconds. */
const START_TIMEOUT_MS = 5_000;

/** Temporal behind `Workflows`. The client must share its native connection with a worker for eager starts. */
export function temporalWorkflows(client: Client, policy: PaymentPolicy): Workflows {
  const start = <Input>(type: string, options: StartOptions<Input>): Promise<Start> =>
    startWorkflow(client, type, options);
  return {
    startPayment: (payment, mode) =>
      start<PaymentWorkflowInput>(PAYMENT_WORKFLOW, {
        workflowId: keysOf.workflow(payment.paymentId),
        input: paymentInput(payment, policy, mode),
        mode,
        summary: `payment of ${payment.amount} ${payment.currencyCode} minor units from ${payment.accountId}`,
      }),
    startRefund: (refund, accountId, mode) =>
      start<RefundWorkflowInput>(REFUND_WORKFLOW, {
        workflowId: keysOf.refundWorkflow(refund.refundId),
        input: {
          tenant: refund.tenant,
          refundId: refund.refundId,
          paymentId: refund.paymentId,
          accountId,
          amount: moneyText(amountOf(refund)),
          policy,
        },
        mode,
        summary: `refund of payment ${refund.paymentId}`,
      }),
    startReconcile: ({ tenant, paymentId }) =>
      start<ReconcileWorkflowInput>(RECONCILE_WORKFLOW, {
        workflowId: keysOf.reconcileWorkflow(paymentId),
        input: { tenant, paymentId, policy },
        mode: "again",
        summary: `reconcile payment ${paymentId}`,
      }),
    async signalCallback(paymentId, callback) {
      const handle = client.workflow.getHandle(keysOf.workflow(paymentId));
      try {
        await bounded(client, START_TIMEOUT_MS, () =>
          handle.signal(gatewayCallbackSignal, callback),
        );
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    cancel: (paymentId, requestId, timeoutMs) =>
      update(client, timeoutMs, () =>
        client.workflow
          .getHandle(keysOf.workflow(paymentId))
          .executeUpdate(cancelUpdate, { updateId: `cancel:${requestId}`, args: [{ requestId }] }),
      ),
    capture: (paymentId, { requestId, amount }, timeoutMs) =>
      update(client, timeoutMs, () =>
        client.workflow.getHandle(keysOf.workflow(paymentId)).executeUpdate(captureUpdate, {
          updateId: `capture:${requestId}`,
          args: [{ requestId, amount: amount.toString() }],
        }),
      ),
  };
}

interface StartOptions<Input> {
  readonly workflowId: string;
  readonly input: Input;
  readonly mode: "first" | "again";
  readonly summary: string;
}

/** Money workflows have no execution timeout: the server would kill the saga without running its undo. */
async function startWorkflow<Input>(
  client: Client,
  type: string,
  options: StartOptions<Input>,
): Promise<Start> {
  try {
    const handle = await bounded(client, START_TIMEOUT_MS, () =>
      client.workflow.start(type, {
        workflowId: options.workflowId,
        taskQueue: PAYMENT_TASK_QUEUE,
        workflowIdReusePolicy: options.mode === "first" ? "REJECT_DUPLICATE" : "ALLOW_DUPLICATE",
        workflowIdConflictPolicy: "FAIL",
        requestEagerStart: true,
        staticSummary: options.summary,
        args: [options.input],
      }),
    );
    return { started: true, runId: handle.firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { started: false };
    throw error;
  }
}

async function update(
  client: Client,
  timeoutMs: number,
  run: () => Promise<PaymentOutcome>,
): Promise<PaymentOutcome | undefined> {
  try {
    return await bounded(client, timeoutMs, run);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isTooLate(error)) return undefined;
    throw error;
  }
}

/** The run closed before it took the update, refused it because it has ended, or did not answer in time: the row tells. */
function isTooLate(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError
  );
}

function bounded<T>(client: Client, timeoutMs: number, run: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + timeoutMs, run);
}

/** The saga's input from the row; `again` adds what the row has decided and when its waiting began. */
export function paymentInput(
  payment: Payment,
  policy: PaymentPolicy,
  mode: "first" | "again",
): PaymentWorkflowInput {
  const input: PaymentWorkflowInput = {
    tenant: payment.tenant,
    paymentId: payment.paymentId,
    accountId: payment.accountId,
    amount: moneyText(amountOf(payment)),
    method: payment.method,
    captureMode: payment.captureMode,
    policy,
  };
  if (mode === "first") return input;
  return {
    ...input,
    resume: {
      phase: phaseText(payment.phase),
      gatewayStartMs: (payment.gatewayStartTime ?? payment.createTime).getTime(),
      captureStartMs: payment.captureStartTime?.getTime() ?? null,
    },
  };
}

function phaseText(phase: Phase): NonNullable<PaymentWorkflowInput["resume"]>["phase"] {
  return phase.kind === "CAPTURING" ? { ...phase, amount: phase.amount.toString() } : phase;
}
