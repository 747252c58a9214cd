import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { type Money as MoneyMessage, MoneySchema } from "#gen/common/v1/money_pb.ts";
import { type AmountOptions, readAmount } from "../amount.ts";

/** Adds the three ways to name an amount. */
export function withAmount(command: Command, what: string): Command {
  return command
    .option("--amount <amount...>", `${what}, for example 12.50 USD`)
    .option("--minor <units>", `${what} in minor units, with --currency`)
    .option("--currency <code>", "ISO 4217 code");
}

/** The amount as a message, or undefined when none was named. */
export function amountMessage(options: AmountOptions): MoneyMessage | undefined {
  const money = readAmount(options);
  return money === undefined ? undefined : create(MoneySchema, money);
}
