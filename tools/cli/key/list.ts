import type { Command } from "commander";
import { type Key, KeySchema, KeyService } from "#gen/auth/v1/keys_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printMany } from "../output.ts";
import { readPages, withLimit } from "../pages.ts";
import { keyColumns } from "./view.ts";

/** `settle key list`. */
export function addKeyList(parent: Command, io: CliIo): void {
  const command = parent.command("list");
  withLimit(command)
    .description("list the tenant's keys, without their secrets")
    .addHelpText("after", "\nExample:\n  settle key list")
    .action(async (options: { readonly limit: string }) => {
      const invocation = invocationOf(command, io);
      const client = invocation.client("edge", KeyService);
      const keys = await readPages<Key>(options.limit, async (page) => {
        const response = await client.listKeys(page, invocation.call());
        return { rows: response.keys, nextPageToken: response.nextPageToken };
      });
      printMany(invocation, KeySchema, keys, keyColumns);
    });
}
