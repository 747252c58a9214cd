import type { Command } from "commander";
import { PaymentService, RecoverResponseSchema } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "./context.ts";
import { fields, printOne } from "./output.ts";

const HELP = `
Starts again whatever is not final and has no running workflow, also against an empty Temporal.
Running it twice is harmless; the sweeper does the same by itself.

Example:
  settle recover && settle audit`;

/** `settle recover`. */
export function addRecover(parent: Command, io: CliIo): void {
  const command = parent.command("recover");
  command
    .description("start again what a crash or a lost Temporal store left open")
    .addHelpText("after", HELP)
    .action(async () => {
      const invocation = invocationOf(command, io);
      const response = await invocation
        .client("payment", PaymentService)
        .recover({}, invocation.call());
      printOne(invocation, RecoverResponseSchema, response, [
        ...fields([
          ["open payments", String(response.openPayments)],
          ["open refunds", String(response.openRefunds)],
          ["workflows started", String(response.startedWorkflows)],
          ["workflows running", String(response.runningWorkflows)],
          ["callbacks signalled", String(response.signalledCallbacks)],
          ["notifications stored", String(response.sentNotifications)],
        ]),
        ...response.errors.map((error) => `not started: ${error}`),
      ]);
    });
}
