import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Command } from "commander";
import { type Money as MoneyMessage, MoneySchema } from "#gen/common/v1/money_pb.ts";
import { type AmountOptions, readAmount } from "../amount.ts";
import type { Invocation } from "../context.ts";

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

/** Adds `--request-id`. */
export function withRequestId(command: Command): Command {
  return command.option("--request-id <id>", "makes a repeat answer the same (default: a new one)");
}

/**
 * Runs a mutation under one request id. When its outcome is not known, the id is shown, because only a repeat
 * with the same id is safe.
 */
export async function withRequest<T>(
  invocation: Invocation,
  given: string | undefined,
  run: (requestId: string) => Promise<T>,
): Promise<T> {
  const requestId = given ?? randomUUID();
  try {
    return await run(requestId);
  } catch (error) {
    if (given === undefined && isUnknownOutcome(error)) {
      invocation.io.err(`repeat with: --request-id ${requestId}\n`);
    }
    throw error;
  }
}

function isUnknownOutcome(error: unknown): boolean {
  const codes = [Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.Aborted];
  return error instanceof ConnectError && codes.includes(error.code);
}
