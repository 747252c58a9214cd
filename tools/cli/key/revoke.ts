import type { Command } from "commander";
import { KeySchema, KeyService } from "#gen/auth/v1/keys_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printOne } from "../output.ts";
import { required } from "../payment/view.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { keyLines } from "./view.ts";

/** `settle key revoke`. */
export function addKeyRevoke(parent: Command, io: CliIo): void {
  const command = parent.command("revoke");
  withRequestId(command)
    .description("end a key for good; within 5 seconds no service takes it")
    .argument("<key>", "id of the key, the part between sk_ and the secret")
    .addHelpText("after", "\nExample:\n  settle key revoke 0m9x1c7k2q8z4y5t")
    .action(async (keyId: string, options: { readonly requestId?: string }) => {
      const invocation = invocationOf(command, io);
      const client = invocation.client("edge", KeyService);
      const response = await withRequest(invocation, options.requestId, (requestId) =>
        client.revokeKey({ requestId, keyId }, invocation.call()),
      );
      const key = required(response.key);
      printOne(invocation, KeySchema, key, keyLines(key));
    });
}
