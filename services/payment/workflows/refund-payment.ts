import { log } from "@temporalio/workflow";
import { parseMoneyText } from "#kit/pure/money.ts";
import { runStep } from "#kit/workflow/step.ts";
import { NOTIFICATION_TASK_QUEUE } from "#services/notification/contract.ts";
import { PAYMENT_TASK_QUEUE, type RefundWorkflowInput } from "../contract.ts";
import { buildNotice } from "../domain/notice.ts";
import { stepRunner } from "./runner.ts";

/**
 * Gives money back: at the provider by key, then in the ledger by key, then on the rows. One activity, repeated until
 * it is answered; the reservation on the payment was made before this workflow started.
 */
export async function RefundWorkflow(
  input: RefundWorkflowInput,
): Promise<{ status: "SUCCEEDED" | "FAILED" }> {
  const { tenant, refundId, paymentId, accountId, amount, providerKey } = input;
  const order = { tenant, refundId, paymentId, accountId, amount };
  const outcome = await stepRunner(input).run<{ status: "SUCCEEDED" | "FAILED" }>({
    activity: "payment::refund",
    summary: `refund of payment ${paymentId}`,
    args: providerKey === undefined ? order : { ...order, providerKey },
  });
  if (outcome.status === "SUCCEEDED") await tellPayer(input);
  return outcome;
}

async function tellPayer(input: RefundWorkflowInput): Promise<void> {
  const { tenant, refundId, paymentId, accountId, policy } = input;
  const notice = buildNotice({
    id: refundId,
    paymentId,
    accountId,
    amount: parseMoneyText(input.amount),
    event: "refunded",
    reason: "",
  });
  try {
    await runStep(
      policy.steps,
      {
        activity: "notification::payment:notify",
        taskQueue: NOTIFICATION_TASK_QUEUE,
        summary: `tell ${accountId}: refunded`,
        attemptsMax: 3,
      },
      { tenant, ...notice },
    );
    await runStep(
      policy.steps,
      {
        activity: "payment::refund-notified",
        taskQueue: PAYMENT_TASK_QUEUE,
        summary: "told",
        attemptsMax: 3,
      },
      { tenant, refundId },
    );
  } catch {
    log.warn("the message is left to the sweeper", { refundId });
  }
}
