import { Command, CommanderError, Option } from "commander";
import { VERSION } from "#kit/version.ts";
import { addAccountEntries } from "./account/entries.ts";
import { addAccountGet } from "./account/get.ts";
import { addAudit } from "./audit.ts";
import type { CliIo } from "./context.ts";
import { addDoctor } from "./doctor/doctor.ts";
import { describeFailure, EXIT_USAGE, failureLines } from "./errors.ts";
import { addKeyCreate } from "./key/create.ts";
import { addKeyList } from "./key/list.ts";
import { addKeyRevoke } from "./key/revoke.ts";
import { addKeyRotate } from "./key/rotate.ts";
import { jsonText } from "./output.ts";
import { addPaymentCancel } from "./payment/cancel.ts";
import { addPaymentCapture } from "./payment/capture.ts";
import { addPaymentCreate } from "./payment/create.ts";
import { addPaymentGet } from "./payment/get.ts";
import { addPaymentList } from "./payment/list.ts";
import { addPaymentReconcile } from "./payment/reconcile.ts";
import { addPaymentRefund } from "./payment/refund.ts";
import { addPaymentWatch } from "./payment/watch.ts";
import { addRecover } from "./recover.ts";
import { addTaskClose } from "./task/close.ts";
import { addTaskGet } from "./task/get.ts";
import { addTaskList } from "./task/list.ts";

const HELP = `
Examples:
  settle payment create --account 1 --amount 12.50 USD --wait completed
  settle payment watch 0193c0de-…
  settle account get 1 -o json
  settle audit

Addresses: --address, else SETTLE_ADDRESS, else SETTLE_URL_PAYMENT, SETTLE_URL_ACCOUNT, …, else <data-dir>/ports.json
(--data-dir, SETTLE_DATA_DIR, ./.data), else the default ports.
With an authority, an address without https:// means https.
Credentials: --api-key-file, else SETTLE_API_KEY (an API key or a token) or SETTLE_API_KEY_FILE; a development server
needs none. TLS: --ca, --cert, --cert-key, else SETTLE_TLS_CA, SETTLE_TLS_CLIENT_CERT, SETTLE_TLS_CLIENT_KEY.
Exit codes: 0 done; 1 the call failed or was refused, or an invariant is broken; 2 the command line is wrong;
3 the payment ended without success; 4 the payment waited for has not ended.`;

/** Runs one command line and answers its exit code. Nothing is thrown. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const result = { exitCode: 0 };
  const program = createProgram(io, result);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return result.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageExitCode(error);
    const failure = describeFailure(error);
    if (program.opts()["output"] === "json") io.err(`${jsonText({ error: failure })}\n`);
    else
      io.err(
        failureLines(failure)
          .map((line) => `${line}\n`)
          .join(""),
      );
    return failure.exitCode;
  }
}

/** Commander has written its message already. */
function usageExitCode(error: CommanderError): number {
  return ["commander.helpDisplayed", "commander.version"].includes(error.code) ? 0 : EXIT_USAGE;
}

/** Set by a command that ran through but must not exit with 0, such as an audit with a violation. */
export interface CommandResult {
  exitCode: number;
}

function createProgram(io: CliIo, result: CommandResult): Command {
  const program = new Command("settle")
    .description("Takes payments, shows them, and proves the books.")
    .addOption(
      new Option("-o, --output <format>", "how answers are written")
        .choices(["table", "json"])
        .default("table"),
    )
    .option("--address <host:port>", "one address for every service, such as the edge's")
    .option("--ca <file>", "authority whose certificates are believed (PEM)")
    .option("--cert <file>", "certificate to show, where the server asks for one (PEM)")
    .option("--cert-key <file>", "its private key (PEM)")
    .option("--api-key-file <file>", "file with an API key or a token")
    .option("--data-dir <dir>", "directory with ports.json (default: SETTLE_DATA_DIR or ./.data)")
    .option("--tenant <tenant>", "whose data; honoured from a service or in development", "default")
    .version(VERSION, "--version", "show the version")
    .addHelpText("after", HELP)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err });
  const payment = group(program, "payment", "take, follow and undo payments");
  addPaymentCreate(payment, io, result);
  addPaymentGet(payment, io);
  addPaymentWatch(payment, io, result);
  addPaymentList(payment, io);
  addPaymentCancel(payment, io);
  addPaymentCapture(payment, io);
  addPaymentRefund(payment, io);
  addPaymentReconcile(payment, io);
  const account = group(program, "account", "read accounts and their postings");
  addAccountGet(account, io);
  addAccountEntries(account, io);
  const task = group(program, "task", "show and close what waits for a person");
  addTaskList(task, io);
  addTaskGet(task, io);
  addTaskClose(task, io);
  const key = group(program, "key", "make, show and end API keys");
  addKeyCreate(key, io);
  addKeyList(key, io);
  addKeyRevoke(key, io);
  addKeyRotate(key, io);
  addAudit(program, io, result);
  addRecover(program, io);
  addDoctor(program, io, result);
  return program;
}

/** A noun; its verbs inherit what `program` was configured with. */
function group(program: Command, name: string, description: string): Command {
  return program.command(name).description(description);
}
