import type { Command } from "commander";
import { PaymentService, TaskSchema } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printOne } from "../output.ts";
import { required } from "../payment/view.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { taskLines } from "./view.ts";

interface CloseOptions {
  readonly requestId?: string;
  readonly note: string;
}

/** `settle task close`. */
export function addTaskClose(parent: Command, io: CliIo): void {
  const command = parent.command("close");
  withRequestId(command)
    .description("close a task whose cause was dealt with; moves no money")
    .argument("<task>", "task id")
    .requiredOption("--note <text>", "what was done about it, for those who look later")
    .addHelpText(
      "after",
      '\nExample:\n  settle task close 0193c0de-…:SUSPENSE --note "paid out by hand, see ticket 17"',
    )
    .action(async (taskId: string, { requestId, note }: CloseOptions) => {
      const invocation = invocationOf(command, io);
      const client = invocation.client("payment", PaymentService);
      const response = await withRequest(invocation, requestId, (id) =>
        client.closeTask({ taskId, note, requestId: id }, invocation.call()),
      );
      const task = required(response.task);
      printOne(invocation, TaskSchema, task, taskLines(task));
    });
}
