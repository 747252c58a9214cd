import type { Command } from "commander";
import { PaymentService, ReconcileResponseSchema } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { fields, printOne } from "../output.ts";

/** `settle payment reconcile`. */
export function addPaymentReconcile(parent: Command, io: CliIo): void {
  const command = parent.command("reconcile");
  command
    .description(
      "book what the provider did by itself: a refund in its console, a chargeback, a void",
    )
    .argument("<payment>", "payment id, as the audit's A7 names it")
    .addHelpText("after", "\nExample:\n  settle payment reconcile 0193c0de-…")
    .action(async (paymentId: string) => {
      const invocation = invocationOf(command, io);
      const response = await invocation
        .client("payment", PaymentService)
        .reconcile({ paymentId }, invocation.call());
      const next = `settle payment get ${paymentId}`;
      const lines = fields([
        ["started", response.workflowId],
        ["see", next],
      ]);
      printOne(invocation, ReconcileResponseSchema, response, lines);
    });
}
