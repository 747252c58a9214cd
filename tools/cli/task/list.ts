import type { Command } from "commander";
import { PaymentService, type Task, TaskSchema, TaskState } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printMany } from "../output.ts";
import { readPages, withLimit } from "../pages.ts";
import { taskColumns } from "./view.ts";

/** `settle task list`. */
export function addTaskList(parent: Command, io: CliIo): void {
  const command = parent.command("list");
  withLimit(command)
    .description("list the tasks that wait for a person, newest first")
    .option("--all", "closed ones too", false)
    .option("--kind <kind>", "only of this kind, for example SUSPENSE")
    .addHelpText("after", "\nExample:\n  settle task list --kind STEP_STUCK")
    .action(async (options: { readonly limit: string; readonly all: boolean; kind?: string }) => {
      const invocation = invocationOf(command, io);
      const client = invocation.client("payment", PaymentService);
      const wanted = {
        state: options.all ? TaskState.UNSPECIFIED : TaskState.OPEN,
        filter: options.kind === undefined ? "" : `kind = ${JSON.stringify(options.kind)}`,
      };
      const tasks = await readPages<Task>(options.limit, async (page) => {
        const response = await client.listTasks({ ...wanted, ...page }, invocation.call());
        return { rows: response.tasks, nextPageToken: response.nextPageToken };
      });
      printMany(invocation, TaskSchema, tasks, taskColumns);
    });
}
