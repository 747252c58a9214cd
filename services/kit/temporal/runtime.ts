import { DefaultLogger, type LogEntry, Runtime } from "@temporalio/worker";
import type { Log } from "../log.ts";

/** Warnings that describe how Settle is meant to run: activity-only workers, and steps that are repeated. */
const EXPECTED = ["No workflows registered", "Activity failed"];

let installed = false;

/**
 * Sends what Temporal's SDK says into our log, once per process and before the first connection. Its INFO lines (every
 * state of every worker) go to debug: they say nothing an operator acts on.
 */
export function installRuntime(log: Log): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    // Signals are ours: services stop in order, workers with them.
    shutdownSignals: [],
    logger: new DefaultLogger("INFO", (entry) => write(log, entry)),
  });
}

function write(log: Log, { level, message, meta }: LogEntry): void {
  const fields = { temporal: meta };
  const expected = EXPECTED.some((text) => message.startsWith(text));
  if (level === "ERROR") log.error(fields, message);
  else if (level === "WARN" && !expected) log.warn(fields, message);
  else log.debug(fields, message);
}
