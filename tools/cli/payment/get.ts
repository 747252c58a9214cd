import type { Command } from "commander";
import { PaymentSchema, PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printOne } from "../output.ts";
import { paymentLines, required } from "./view.ts";

/** `settle payment get`. */
export function addPaymentGet(parent: Command, io: CliIo): void {
  const command = parent.command("get");
  command
    .description("show a payment with its timeline")
    .argument("<payment>", "payment id")
    .addHelpText("after", "\nExample:\n  settle payment get 0193c0de-… -o json")
    .action(async (paymentId: string) => {
      const invocation = invocationOf(command, io);
      const response = await invocation
        .client("payment", PaymentService)
        .get({ paymentId }, invocation.call());
      const payment = required(response.payment);
      printOne(invocation, PaymentSchema, payment, paymentLines(payment));
    });
}
