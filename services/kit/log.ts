import { type Logger, pino } from "pino";

/** One JSON line per event. Keys are fixed: service, rpc, paymentId, workflowId, reason, durationMs. */
export type Log = Logger;

/** How much is written: pino's level names, or `silent`. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** A logger to standard error, so that standard output stays for answers. */
export function createLog(level: LogLevel, bindings: Record<string, unknown> = {}): Log {
  return pino(
    { level, base: bindings, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ dest: 2, sync: false }),
  );
}
