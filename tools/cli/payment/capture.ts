import type { Command } from "commander";
import { PaymentSchema, PaymentService } from "#gen/payment/v1/payment_pb.ts";
import type { AmountOptions } from "../amount.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printOne } from "../output.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { amountMessage, withAmount } from "./options.ts";
import { paymentLines, required } from "./view.ts";

interface CaptureOptions extends AmountOptions {
  readonly requestId?: string;
}

/** `settle payment capture`, for payments created with `--capture manual`. */
export function addPaymentCapture(parent: Command, io: CliIo): void {
  const command = parent.command("capture");
  withRequestId(withAmount(command, "how much to take (default: all)"))
    .description("settle a payment that waits for it, in whole or in part")
    .argument("<payment>", "payment id")
    .addHelpText("after", "\nExample:\n  settle payment capture 0193c0de-… --amount 5.00 USD")
    .action((paymentId: string, options: CaptureOptions) =>
      capturePayment(command, io, paymentId, options),
    );
}

async function capturePayment(
  command: Command,
  io: CliIo,
  paymentId: string,
  options: CaptureOptions,
): Promise<void> {
  const invocation = invocationOf(command, io);
  const amount = amountMessage(options);
  const response = await withRequest(invocation, options.requestId, (requestId) =>
    invocation
      .client("payment", PaymentService)
      .capture({ paymentId, requestId, ...(amount ? { amount } : {}) }, invocation.call()),
  );
  const payment = required(response.payment);
  printOne(invocation, PaymentSchema, payment, paymentLines(payment));
}
