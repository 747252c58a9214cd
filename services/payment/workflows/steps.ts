import { isCancellation, proxyActivities } from "@temporalio/workflow";
import { formatMoney, parseMoneyText } from "#kit/pure/money.ts";
import { runStep } from "#kit/workflow/step.ts";
import {
  ACCOUNT_TASK_QUEUE,
  type CreditAccountResult,
  type DebitAccountResult,
} from "#services/account/contract.ts";
import { FRAUD_TASK_QUEUE, type StoredDecision } from "#services/fraud/contract.ts";
import { NOTIFICATION_TASK_QUEUE, type NotifyInput } from "#services/notification/contract.ts";
import {
  type AuthorizeOutcome,
  PAYMENT_TASK_QUEUE,
  type PaymentActivities,
  type PaymentOutcome,
  type PaymentWorkflowInput,
  type SettleOutcome,
  type VoidOutcome,
} from "../contract.ts";
import { keysOf } from "../domain/payment.ts";

type Park = Parameters<PaymentActivities["payment::park"]>[0];

/** The steps of a payment, each with its key, its owner's queue and a line for people. */
export function paymentSteps(input: PaymentWorkflowInput) {
  const { tenant, paymentId, amount, policy } = input;
  const ref = { tenant, paymentId };
  const money = formatMoney(parseMoneyText(amount));
  let parked = false;

  const park = (status: Park["status"], step: Park["step"], message: string) =>
    own<{ captureStartMs: number | null }>("payment::park", message, {
      ...ref,
      status,
      step,
      message,
    });

  /** The row shows once that a payment left the fast path. Nobody waits for this write. */
  const onFallback = (): void => {
    if (parked) return;
    parked = true;
    const activities = proxyActivities<Pick<PaymentActivities, "payment::park">>({
      taskQueue: PAYMENT_TASK_QUEUE,
      startToCloseTimeout: policy.steps.startToCloseMs,
      retry: { maximumAttempts: 3 },
      summary: "the payment takes longer",
    });
    const message = "a step is repeated until it answers";
    activities["payment::park"]({ ...ref, status: "PROCESSING", step: "GATEWAY", message }).catch(
      () => undefined,
    );
  };

  const run = <T>(
    activity: string,
    taskQueue: string,
    summary: string,
    args: unknown,
    onSlow = onFallback,
  ): Promise<T> => runStep<T>(policy.steps, { activity, taskQueue, summary }, args, onSlow);
  const own = <T>(activity: string, summary: string, args: unknown): Promise<T> =>
    run<T>(activity, PAYMENT_TASK_QUEUE, summary, args);

  return {
    park,
    hold: () =>
      run<DebitAccountResult>(
        "account::debit",
        ACCOUNT_TASK_QUEUE,
        `hold ${money} on ${input.accountId}`,
        {
          tenant,
          holdId: keysOf.hold(paymentId),
          accountId: input.accountId,
          destinationAccountId: keysOf.providerAccount(amount.currencyCode),
          amount,
          reference: `payment ${paymentId}`,
        },
      ),
    release: () =>
      run<CreditAccountResult>(
        "account::credit",
        ACCOUNT_TASK_QUEUE,
        `release ${money} on ${input.accountId}`,
        {
          tenant,
          holdId: keysOf.hold(paymentId),
        },
      ),
    evaluate: () =>
      run<{ decision: StoredDecision; createTimeMs: number }>(
        "fraud::evaluate",
        FRAUD_TASK_QUEUE,
        "fraud rules",
        fraudSubject(input),
      ),
    storedDecision: () =>
      run<{ decision: StoredDecision }>(
        "fraud::get-decision",
        FRAUD_TASK_QUEUE,
        "read the fraud decision",
        {
          tenant,
          checkId: keysOf.fraudCheck(paymentId),
        },
      ),
    releaseCheck: () =>
      run<object>("fraud::release", FRAUD_TASK_QUEUE, "give the fraud tally back", {
        tenant,
        checkId: keysOf.fraudCheck(paymentId),
      }),
    /** `onSlow` runs when the quick try brought no answer. */
    authorize: (gatewayStartMs: number, onSlow: () => void) => {
      const args = { ...ref, amount, method: input.method, gatewayStartMs };
      return run<AuthorizeOutcome>(
        "gateway::authorize",
        PAYMENT_TASK_QUEUE,
        `authorise ${money}`,
        args,
        () => {
          onFallback();
          onSlow();
        },
      );
    },
    /** Asked once: a provider that does not answer now is treated as one that does not know. */
    queryGateway: async (): Promise<AuthorizeOutcome> => {
      const step = {
        activity: "gateway::query",
        taskQueue: PAYMENT_TASK_QUEUE,
        summary: "ask the provider what became of it",
        attemptsMax: 1,
      };
      try {
        return await runStep<AuthorizeOutcome>(policy.steps, step, ref);
      } catch (error) {
        if (isCancellation(error)) throw error;
        return { outcome: "UNKNOWN" };
      }
    },
    voidAuthorization: (reason: string) =>
      own<VoidOutcome>("gateway::void", `undo at the provider: ${reason}`, { ...ref, reason }),
    settle: (capture: { amount: string; requestId: string }, eventIds: readonly string[]) =>
      own<SettleOutcome>(
        "payment::settle",
        `capture ${capture.amount} ${amount.currencyCode} minor units`,
        {
          ...ref,
          amount: { currencyCode: amount.currencyCode, minorUnits: capture.amount },
          requestId: capture.requestId,
          eventIds,
        },
      ),
    fail: (reason: string, message: string, eventIds: readonly string[]) =>
      own<PaymentOutcome>("payment::fail", `final row: ${reason}`, {
        ...ref,
        reason,
        message,
        eventIds,
      }),
    openTask: (kind: string, detail: string) =>
      own<object>("payment::open-task", `a person must look: ${kind}`, { ...ref, kind, detail }),
    /** Tells the payer. Gives up after a few tries: the row keeps the debt and the sweeper pays it. */
    notify: async (notice: NotifyInput, event: string): Promise<void> => {
      const step = {
        activity: "notification::payment:notify",
        taskQueue: NOTIFICATION_TASK_QUEUE,
        summary: `tell ${input.accountId}: ${event}`,
        attemptsMax: 3,
      };
      await runStep(policy.steps, step, notice);
      await runStep(
        policy.steps,
        {
          activity: "payment::notified",
          taskQueue: PAYMENT_TASK_QUEUE,
          summary: "told",
          attemptsMax: 3,
        },
        { ...ref, event },
      );
    },
  };
}

/** The steps of one payment. */
export type PaymentSteps = ReturnType<typeof paymentSteps>;

/** What Fraud looks at; the same for the activity and the child. */
export function fraudSubject(input: PaymentWorkflowInput) {
  return {
    tenant: input.tenant,
    checkId: keysOf.fraudCheck(input.paymentId),
    paymentId: input.paymentId,
    accountId: input.accountId,
    amount: input.amount,
  };
}
