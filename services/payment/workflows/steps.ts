import { isCancellation } from "@temporalio/workflow";
import { formatMoney, parseMoneyText } from "#kit/pure/money.ts";
import {
  ACCOUNT_TASK_QUEUE,
  type CreditAccountResult,
  type DebitAccountResult,
} from "#services/account/contract.ts";
import { type EvaluateOutcome, FRAUD_TASK_QUEUE } from "#services/fraud/contract.ts";
import { NOTIFICATION_TASK_QUEUE, type NotifyInput } from "#services/notification/contract.ts";
import type {
  AuthorizeOutcome,
  Parked,
  PaymentActivities,
  PaymentOutcome,
  PaymentWorkflowInput,
  SettleOutcome,
  VoidOutcome,
} from "../contract.ts";
import { keysOf } from "../domain/payment.ts";
import { parkInBackground, type Runner, stepRunner } from "./runner.ts";

/** The steps of a payment, each with its key, its owner's queue and a line for people. */
export function paymentSteps(input: PaymentWorkflowInput) {
  const runner = stepRunner(input, () => parkInBackground(input));
  return {
    ...ledgerSteps(input, runner),
    ...fraudSteps(input, runner),
    ...gatewaySteps(input, runner),
    ...rowSteps(input, runner),
  };
}

/** Where two local tries wait for each other. */
export type Meet = () => Promise<void>;

/** The steps of one payment. */
export type PaymentSteps = ReturnType<typeof paymentSteps>;

function ledgerSteps(
  { tenant, paymentId, accountId, amount }: PaymentWorkflowInput,
  runner: Runner,
) {
  const taskQueue = ACCOUNT_TASK_QUEUE;
  const money = formatMoney(parseMoneyText(amount));
  const holdId = keysOf.hold(paymentId);
  return {
    hold: () => {
      const destinationAccountId = keysOf.providerAccount(amount.currencyCode);
      const reference = `payment ${paymentId}`;
      const args = { tenant, holdId, accountId, destinationAccountId, amount, reference };
      const summary = `hold ${money} on ${accountId}`;
      return runner.run<DebitAccountResult>({
        activity: "account::debit",
        taskQueue,
        summary,
        args,
      });
    },
    release: () => {
      const summary = `release ${money} on ${accountId}`;
      const args = { tenant, holdId };
      return runner.undo<CreditAccountResult>({
        activity: "account::credit",
        taskQueue,
        summary,
        args,
      });
    },
    /** For an undone payment whose hold turns out to be captured: the posting is given back by its key. */
    reverseCapture: () => {
      const summary = `give ${money} back to ${accountId}`;
      const transactionId = keysOf.capture(paymentId);
      const args = { tenant, transactionId, reason: `payment ${paymentId} was undone` };
      return runner.undo<object>({ activity: "account::reverse", taskQueue, summary, args });
    },
  };
}

function fraudSteps(input: PaymentWorkflowInput, runner: Runner) {
  const taskQueue = FRAUD_TASK_QUEUE;
  const check = { tenant: input.tenant, checkId: keysOf.fraudCheck(input.paymentId) };
  return {
    evaluate: (meet?: Meet) => {
      const args = fraudSubject(input);
      const summary = "fraud rules";
      const call = { activity: "fraud::evaluate", taskQueue, summary, args };
      return runner.run<EvaluateOutcome>({ ...call, ...(meet && { afterLocal: meet }) });
    },
    storedDecision: () =>
      runner.run<Pick<EvaluateOutcome, "decision">>({
        activity: "fraud::get-decision",
        taskQueue,
        summary: "read the fraud decision",
        args: check,
      }),
    releaseCheck: () => {
      const summary = "give the fraud tally back";
      return runner.undo<object>({ activity: "fraud::release", taskQueue, summary, args: check });
    },
  };
}

function gatewaySteps({ tenant, paymentId, amount, method }: PaymentWorkflowInput, runner: Runner) {
  const ref = { tenant, paymentId };
  const money = formatMoney(parseMoneyText(amount));
  return {
    /** `onSlow` runs when the quick try brought no answer. */
    authorize: (gatewayStartMs: number, onSlow: () => void, meet?: Meet) =>
      runner.run<AuthorizeOutcome>({
        activity: "gateway::authorize",
        summary: `authorise ${money}`,
        args: { ...ref, amount, method, gatewayStartMs },
        onSlow,
        ...(meet && { afterLocal: meet }),
      }),
    /** Asked once: a provider that does not answer now is treated as one that does not know. */
    queryGateway: async (): Promise<AuthorizeOutcome> => {
      const summary = "ask the provider what became of it";
      const call = { activity: "gateway::query", summary, args: ref, attemptsMax: 1 };
      try {
        return await runner.run<AuthorizeOutcome>(call);
      } catch (error) {
        if (isCancellation(error)) throw error;
        return { outcome: "UNKNOWN" };
      }
    },
    voidAuthorization: (reason: string) =>
      runner.undo<VoidOutcome>({
        activity: "gateway::void",
        summary: `undo at the provider: ${reason}`,
        args: { ...ref, reason },
      }),
  };
}

type Park = Parameters<PaymentActivities["payment::park"]>[0];

function rowSteps({ tenant, paymentId, accountId, amount }: PaymentWorkflowInput, runner: Runner) {
  const ref = { tenant, paymentId };
  const { currencyCode } = amount;
  return {
    park: (status: Park["status"], step: Park["step"], message: string) =>
      runner.run<Parked>({
        activity: "payment::park",
        summary: message,
        args: { ...ref, status, step, message },
      }),
    settle: (capture: { amount: string; requestId: string }, eventIds: readonly string[]) => {
      const { amount: minorUnits, requestId } = capture;
      const summary = `capture ${formatMoney(parseMoneyText({ currencyCode, minorUnits }))}`;
      const args = { ...ref, amount: { currencyCode, minorUnits }, requestId, eventIds };
      return runner.run<SettleOutcome>({ activity: "payment::settle", summary, args });
    },
    fail: (reason: string, message: string, eventIds: readonly string[]) =>
      runner.run<PaymentOutcome>({
        activity: "payment::fail",
        summary: `final row: ${reason}`,
        args: { ...ref, reason, message, eventIds },
      }),
    /** Tells the payer. Gives up after a few tries: the row keeps the debt and the sweeper pays it. */
    notify: async (notice: NotifyInput, event: string): Promise<void> => {
      await runner.run({
        activity: "notification::payment:notify",
        taskQueue: NOTIFICATION_TASK_QUEUE,
        summary: `tell ${accountId}: ${event}`,
        args: notice,
        attemptsMax: 3,
      });
      const args = { ...ref, event };
      await runner.run({ activity: "payment::notified", summary: "told", args, attemptsMax: 3 });
    },
  };
}

/** What Fraud looks at; the same for the activity and the child. */
export function fraudSubject(input: PaymentWorkflowInput) {
  const { tenant, paymentId, accountId, amount } = input;
  return { tenant, checkId: keysOf.fraudCheck(paymentId), paymentId, accountId, amount };
}
