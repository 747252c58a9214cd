import type { Payment } from "#gen/payment/v1/payment_pb.ts";
import { createProgress, type Progress } from "../provision/progress.ts";
import { defaultDeps, isOnPath } from "../provision/provision.ts";
import { findBinaries } from "./binaries.ts";
import { type DataDir, openDataDir, resetDataDir } from "./data-dir.ts";
import { HELP, readOptions, type StartOptions, UsageError } from "./options.ts";
import { readReach } from "./reach.ts";
import { secretVariables } from "./secrets.ts";
import { listenForStop, type StopSignal } from "./signals.ts";
import { type Stack, startStack } from "./stack.ts";

/** The whole of `npm start`; answers the exit code. */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env);
  const progress = createProgress();
  if (options.help) {
    progress.line(HELP);
    return 0;
  }
  // What is stored is nobody else's, and neither is what the programs store that are started from here.
  process.umask(0o077);
  const signal = listenForStop();
  if (options.reset) await resetDataDir(options.dataDir);
  const dataDir = await openDataDir(options.dataDir);
  try {
    return await run(options, dataDir, progress, signal);
  } finally {
    await dataDir.release();
  }
}

async function run(
  options: StartOptions,
  dataDir: DataDir,
  progress: Progress,
  signal: StopSignal,
): Promise<number> {
  const startMs = Date.now();
  progress.line(`Settle starts; everything is stored in ${dataDir.path}`);
  const deps = defaultDeps(progress);
  const env = { ...process.env, ...(await secretVariables(dataDir, process.env)) };
  const reach = readReach(env);
  const binaries = await Promise.race([findBinaries(deps), signal.stopped]);
  // Nothing runs yet; an unfinished download is removed by the next start.
  if (typeof binaries === "string") {
    await dataDir.release();
    process.exit(130);
  }
  const { portBase, split } = options;
  const stack = await startStack({ dataDir, portBase, binaries, split, env, reach, deps });
  signal.onKill(() => stack.kill());
  progress.line(`Settle is up after ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
  const outcome = await Promise.race([
    work(options, stack, progress, signal).catch((error: unknown) => ({
      failure: messageOf(error),
    })),
    stack.failed.then((message) => ({ failure: message })),
  ]);
  return await finish(outcome, stack, progress);
}

/** What a run came to: told by `--once` in its last line. */
type Outcome = { readonly failure: string } | { readonly code: number; readonly lastLine?: string };

async function work(
  options: StartOptions,
  stack: Stack,
  progress: Progress,
  signal: StopSignal,
): Promise<Outcome> {
  const stopped = signal.stopped.then(() => undefined);
  const wanted = options.demo && process.env["SETTLE_SEED_DEMO"] !== "0";
  if (options.demo && !wanted)
    progress.line("  no demo payment: SETTLE_SEED_DEMO=0 opens no demo accounts");
  const payment = wanted ? await Promise.race([demo(stack, progress), stopped]) : undefined;
  if (signal.isStopped()) return { code: 0 };
  if (options.once)
    return await Promise.race([once(stack, progress, payment, wanted), stoppedEarly(signal)]);
  const { addressTable, bannerOf, copyLines } = await import("./summary.ts");
  progress.line(addressTable(stack.addresses));
  progress.line(bannerOf(stack.reach));
  progress.line(copyLines(stack, payment?.paymentId, await isOnPath("grpcurl", process.env)));
  progress.line("Ctrl-C stops everything.");
  await stopped;
  return { code: 0 };
}

async function demo(stack: Stack, progress: Progress): Promise<Payment> {
  const task = progress.task("demo payment");
  task.note("waiting for its end");
  const { payDemo } = await import("./demo.ts");
  const { timelineText } = await import("./summary.ts");
  const payment = await payDemo(stack);
  task.end("  demo payment has ended");
  progress.line(timelineText(payment));
  return payment;
}

async function once(
  stack: Stack,
  progress: Progress,
  payment: Payment | undefined,
  wanted: boolean,
): Promise<Outcome> {
  const { auditBooks } = await import("./demo.ts");
  const { addressTable, auditText, statusName } = await import("./summary.ts");
  const audit = await auditBooks(stack);
  progress.line(auditText(audit));
  progress.line(addressTable(stack.addresses));
  const status = payment === undefined ? null : statusName(payment.status);
  const lastLine = JSON.stringify({
    paymentId: payment?.paymentId ?? null,
    status,
    auditOk: audit.ok,
    addresses: stack.addresses,
  });
  const paid = status === "SUCCEEDED" || !wanted;
  return { code: paid && audit.ok ? 0 : 1, lastLine };
}

/** A run that was to end by itself and was interrupted has not shown what it was to show. */
async function stoppedEarly(signal: StopSignal): Promise<Outcome> {
  await signal.stopped;
  return { code: 1 };
}

async function finish(outcome: Outcome, stack: Stack, progress: Progress): Promise<number> {
  if ("failure" in outcome) progress.line(`${outcome.failure}\nSettle stops.`);
  else if (outcome.lastLine === undefined) progress.line("Settle stops.");
  const task = progress.task("stopping");
  await stack.stop();
  task.end("  everything has stopped");
  if ("failure" in outcome) return 1;
  if (outcome.lastLine !== undefined) process.stdout.write(`${outcome.lastLine}\n`);
  return outcome.code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  const code = await main();
  // A worker that failed has set its own code already.
  process.exitCode ??= code;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// Everything was closed; a forgotten timer must not hold the terminal.
process.stdout.write("", () => process.exit());
