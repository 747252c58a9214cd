import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Command } from "commander";
import type { Invocation } from "./context.ts";

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
