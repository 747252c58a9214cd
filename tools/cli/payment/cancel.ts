import type { Command } from "commander";
import { PaymentSchema, PaymentService, PaymentStatus } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printOne } from "../output.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { paymentLines, required } from "./view.ts";

interface CancelOptions {
  readonly requestId?: string;
  readonly reason: string;
}

/** `settle payment cancel`. */
export function addPaymentCancel(parent: Command, io: CliIo): void {
  const command = parent.command("cancel");
  withRequestId(command)
    .description("undo a payment that is not settled yet")
    .argument("<payment>", "payment id")
    .option("--reason <text>", "why, for people", "")
    .addHelpText("after", "\nExample:\n  settle payment cancel 0193c0de-… --reason 'ordered twice'")
    .action((paymentId: string, options: CancelOptions) =>
      cancelPayment(command, io, paymentId, options),
    );
}

async function cancelPayment(
  command: Command,
  io: CliIo,
  paymentId: string,
  options: CancelOptions,
): Promise<void> {
  const invocation = invocationOf(command, io);
  const response = await withRequest(invocation, options.requestId, (requestId) =>
    invocation
      .client("payment", PaymentService)
      .cancel({ paymentId, requestId, reason: options.reason }, invocation.call()),
  );
  const payment = required(response.payment);
  const open =
    payment.status === PaymentStatus.CANCELLED
      ? []
      : [`it is being undone: settle payment watch ${paymentId}`];
  printOne(invocation, PaymentSchema, payment, [...paymentLines(payment), ...open]);
}
