import { setTimeout as pause } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Command } from "commander";
import { type Payment, PaymentSchema, PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, type Invocation, invocationOf } from "../context.ts";
import { printJsonLine, printLines } from "../output.ts";
import { changeLine, exitCodeOf, isFinal } from "./view.ts";

/** A stream lives at most as long as the server lets it. */
const STREAM_TIMEOUT_MS = 3_600_000;
/** Failed attempts in a row, without a single message between, before the command gives up. */
const ATTEMPTS_MAX = 10;
const BACKOFF_MAX_MS = 5_000;

/** `settle payment watch`. */
export function addPaymentWatch(parent: Command, io: CliIo, result: { exitCode: number }): void {
  const command = parent.command("watch");
  command
    .description(
      "show a payment's changes until it is final; a broken stream is resumed where it ended",
    )
    .argument("<payment>", "payment id")
    .addHelpText(
      "after",
      "\nExit code 3 when it ended FAILED or CANCELLED.\n\nExample:\n  settle payment watch 0193c0de-… -o json",
    )
    .action(async (paymentId: string) => {
      result.exitCode = await watchPayment(invocationOf(command, io), paymentId);
    });
}

/** Follows the payment over as many streams as it takes. */
async function watchPayment(invocation: Invocation, paymentId: string): Promise<number> {
  const progress: Progress = { resumeToken: "", failures: 0 };
  for (;;) {
    try {
      await readStream(invocation, paymentId, progress);
      if (progress.last !== undefined && isFinal(progress.last.status))
        return exitCodeOf(progress.last.status);
      // A server that drains may end the stream without an error: go on like after one, with the same limit.
      await backOff(
        invocation,
        progress,
        new ConnectError("the stream ended early", Code.Unavailable),
      );
    } catch (error) {
      if (invocation.io.signal.aborted) return 0;
      if (!isResumable(error)) throw error;
      await backOff(invocation, progress, error);
    }
  }
}

interface Progress {
  resumeToken: string;
  failures: number;
  last?: Payment;
}

async function readStream(
  invocation: Invocation,
  paymentId: string,
  progress: Progress,
): Promise<void> {
  const { resumeToken } = progress;
  const stream = invocation
    .client("payment", PaymentService)
    .watch({ paymentId, resumeToken }, invocation.call(STREAM_TIMEOUT_MS));
  for await (const message of stream) {
    progress.resumeToken = message.resumeToken;
    progress.failures = 0;
    if (message.payment === undefined) continue;
    progress.last = message.payment;
    if (invocation.output === "json") printJsonLine(invocation, PaymentSchema, message.payment);
    else printLines(invocation, [changeLine(message.payment)]);
  }
}

function isResumable(error: unknown): boolean {
  return (
    error instanceof ConnectError &&
    (error.code === Code.Unavailable || error.code === Code.DeadlineExceeded)
  );
}

async function backOff(invocation: Invocation, progress: Progress, error: unknown): Promise<void> {
  progress.failures += 1;
  if (progress.failures >= ATTEMPTS_MAX) throw error;
  const delayMs = Math.min(100 * 2 ** progress.failures, BACKOFF_MAX_MS);
  await pause(delayMs, undefined, { signal: invocation.io.signal }).catch(() => undefined);
}
