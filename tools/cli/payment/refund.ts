import type { Command } from "commander";
import { PaymentService, RefundSchema, RefundStatus } from "#gen/payment/v1/payment_pb.ts";
import type { AmountOptions } from "../amount.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { enumText, fields, money, printOne, time } from "../output.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { amountMessage, withAmount } from "./options.ts";
import { required } from "./view.ts";

interface RefundOptions extends AmountOptions {
  readonly requestId?: string;
  readonly reason: string;
}

/** `settle payment refund`. */
export function addPaymentRefund(parent: Command, io: CliIo): void {
  const command = parent.command("refund");
  withRequestId(withAmount(command, "how much to give back (default: all that is left)"))
    .description("give settled money back, in whole or in part")
    .argument("<payment>", "payment id")
    .option("--reason <text>", "why, for people", "")
    .addHelpText(
      "after",
      "\nExample:\n  settle payment refund 0193c0de-… --amount 2.50 USD --reason damaged",
    )
    .action((paymentId: string, options: RefundOptions) =>
      refundPayment(command, io, paymentId, options),
    );
}

async function refundPayment(
  command: Command,
  io: CliIo,
  paymentId: string,
  options: RefundOptions,
): Promise<void> {
  const invocation = invocationOf(command, io);
  const amount = amountMessage(options);
  const { reason } = options;
  const response = await withRequest(invocation, options.requestId, (requestId) =>
    invocation
      .client("payment", PaymentService)
      .refund({ paymentId, requestId, reason, ...(amount ? { amount } : {}) }, invocation.call()),
  );
  const refund = required(response.refund);
  printOne(
    invocation,
    RefundSchema,
    refund,
    fields([
      ["refund", refund.refundId],
      ["payment", refund.paymentId],
      ["status", enumText(RefundStatus, refund.status)],
      ["amount", money(refund.amount)],
      ["failure", refund.failure ? `${refund.failure.reason}: ${refund.failure.message}` : ""],
      ["created", time(refund.createTime)],
    ]),
  );
}
