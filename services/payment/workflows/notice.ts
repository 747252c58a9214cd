import { parseMoneyText } from "#kit/pure/money.ts";
import type { NotifyInput } from "#services/notification/contract.ts";
import type { PaymentOutcome, PaymentWorkflowInput } from "../contract.ts";
import { buildNotice, eventOf } from "../domain/notice.ts";

/** What the payer is told about the outcome. */
export function noticeOf(
  input: PaymentWorkflowInput,
  outcome: PaymentOutcome,
): { readonly notice: NotifyInput; readonly event: string } {
  const event = eventOf(outcome.status);
  const notice = buildNotice({
    id: input.paymentId,
    paymentId: input.paymentId,
    accountId: input.accountId,
    amount: parseMoneyText(input.amount),
    captured: BigInt(outcome.captured ?? 0),
    event,
    reason: outcome.reason,
  });
  return { notice: { tenant: input.tenant, ...notice }, event };
}
