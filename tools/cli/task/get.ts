import type { Command } from "commander";
import { PaymentService, TaskSchema } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printOne } from "../output.ts";
import { required } from "../payment/view.ts";
import { taskLines } from "./view.ts";

/** `settle task get`. */
export function addTaskGet(parent: Command, io: CliIo): void {
  const command = parent.command("get");
  command
    .description("show a task")
    .argument("<task>", "task id, as `settle task list` shows it")
    .addHelpText("after", "\nExample:\n  settle task get 0193c0de-…:SUSPENSE")
    .action(async (taskId: string) => {
      const invocation = invocationOf(command, io);
      const client = invocation.client("payment", PaymentService);
      const task = required((await client.getTask({ taskId }, invocation.call())).task);
      printOne(invocation, TaskSchema, task, taskLines(task));
    });
}
