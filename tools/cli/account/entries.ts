import type { Command } from "commander";
import {
  AccountService,
  type Entry,
  EntryDirection,
  EntrySchema,
} from "#gen/account/v1/account_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { money, printMany, time } from "../output.ts";
import { readPages, withLimit } from "../pages.ts";
import type { Column } from "../table.ts";

const columns: readonly Column<Entry>[] = [
  { title: "TIME", cell: (entry) => time(entry.createTime) },
  { title: "AMOUNT", cell: (entry) => signed(entry), right: true },
  { title: "BALANCE", cell: (entry) => money(entry.balanceAfter), right: true },
  { title: "COUNTER ACCOUNT", cell: (entry) => entry.counterAccountId },
  { title: "TRANSACTION", cell: (entry) => entry.transactionId },
  { title: "REFERENCE", cell: (entry) => entry.reference },
];

function signed(entry: Entry): string {
  return `${entry.direction === EntryDirection.DEBIT ? "-" : "+"}${money(entry.amount)}`;
}

/** `settle account entries`. */
export function addAccountEntries(parent: Command, io: CliIo): void {
  const command = parent.command("entries");
  withLimit(command)
    .description("list an account's postings, newest first")
    .argument("<account>", "account id")
    .addHelpText("after", "\nExample:\n  settle account entries 1 --limit 10")
    .action(async (accountId: string, options: { readonly limit: string }) => {
      const invocation = invocationOf(command, io);
      const client = invocation.client("account", AccountService);
      const entries = await readPages<Entry>(options.limit, async (page) => {
        const response = await client.listEntries({ accountId, ...page }, invocation.call());
        return { rows: response.entries, nextPageToken: response.nextPageToken };
      });
      printMany(invocation, EntrySchema, entries, columns);
    });
}
