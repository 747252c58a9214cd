import type { Command } from "commander";
import { AccountSchema, AccountService, AccountState } from "#gen/account/v1/account_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { enumText, fields, money, printOne, time } from "../output.ts";
import { required } from "../payment/view.ts";

/** `settle account get`. */
export function addAccountGet(parent: Command, io: CliIo): void {
  const command = parent.command("get");
  command
    .description("show an account with its balances")
    .argument("<account>", "account id")
    .addHelpText(
      "after",
      "\nExamples:\n  settle account get 1\n  settle account get provider:mock:USD",
    )
    .action(async (accountId: string) => {
      const invocation = invocationOf(command, io);
      const response = await invocation
        .client("account", AccountService)
        .getAccount({ accountId }, invocation.call());
      const account = required(response.account);
      const lines = fields([
        ["account", account.accountId],
        ["owner", account.ownerId],
        ["state", enumText(AccountState, account.state)],
        ["balance", money(account.balance)],
        ["held", money(account.held)],
        ["available", money(account.available)],
        ["created", time(account.createTime)],
        ["updated", time(account.updateTime)],
      ]);
      printOne(invocation, AccountSchema, account, lines);
    });
}
