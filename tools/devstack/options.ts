import { parseArgs } from "node:util";
import type { Env } from "#kit/config.ts";

/** What `npm start` was asked to do. */
export interface StartOptions {
  readonly dataDir: string;
  /** Absent: the default ports, moved when taken. */
  readonly portBase: number | undefined;
  /** One process per service instead of one for all. */
  readonly split: boolean;
  /** Deletes what an earlier start stored, first. */
  readonly reset: boolean;
  /** Whether a demo payment is made. */
  readonly demo: boolean;
  /** Exits after the demo payment and the audit. */
  readonly once: boolean;
  readonly help: boolean;
}

/** The command line is not understood; the message ends with the help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const HELP = `npm start -- [flags]      starts Temporal, mongod and all services, makes one demo payment, stays

  --once            exits after the demo payment: 0 when it succeeded and the audit is clean;
                    the last line is one JSON object
  --data-dir DIR    where everything is stored (.data)                    SETTLE_DATA_DIR
  --port-base N     edge N, account N+1, fraud N+2, notification N+3, payment N+4, reporting N+5,
                    gateway N+10, Temporal N+11, its UI N+12, mongod N+13; a taken port is an error
                                                                          SETTLE_PORT_BASE
  --split           one process per service                               SETTLE_SPLIT=1
  --reset           deletes what is stored in the data directory, first   SETTLE_RESET=1
  --no-demo         makes no payment; demo accounts are still opened      SETTLE_NO_DEMO=1
  --help            this text

--once is also SETTLE_ONCE=1. TEMPORAL_ADDRESS and MONGODB_URI take servers that run already.
`;

const FLAGS = {
  once: { type: "boolean" },
  "data-dir": { type: "string" },
  "port-base": { type: "string" },
  split: { type: "boolean" },
  reset: { type: "boolean" },
  "no-demo": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Highest offset from the port base (mongod). */
const OFFSET_MAX = 13;

/** Reads flags, then the variables that mirror them; a flag wins. */
export function readOptions(args: readonly string[], env: Env): StartOptions {
  const flags = parseFlags(args);
  return {
    dataDir: nonEmpty(flags["data-dir"] ?? (env["SETTLE_DATA_DIR"] || ".data"), "--data-dir"),
    portBase: readPortBase(flags["port-base"] ?? (env["SETTLE_PORT_BASE"] || undefined)),
    split: flags.split ?? isOn(env, "SETTLE_SPLIT"),
    reset: flags.reset ?? isOn(env, "SETTLE_RESET"),
    demo: !(flags["no-demo"] ?? isOn(env, "SETTLE_NO_DEMO")),
    once: flags.once ?? isOn(env, "SETTLE_ONCE"),
    help: flags.help ?? false,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: false })
      .values;
  } catch (error) {
    // The first sentence names the flag; what follows it is about other programs.
    const message = error instanceof Error ? error.message.split(". ")[0] : String(error);
    throw new UsageError(`${message}\n\n${HELP}`);
  }
}

function readPortBase(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const base = Number(text);
  if (!Number.isInteger(base) || base < 1024 || base + OFFSET_MAX > 65_535) {
    throw new UsageError(
      `--port-base ${text}: expected a whole number from 1024 to ${65_535 - OFFSET_MAX}\n\n${HELP}`,
    );
  }
  return base;
}

function nonEmpty(text: string, flag: string): string {
  if (text === "") throw new UsageError(`${flag}: expected a directory\n\n${HELP}`);
  return text;
}

function isOn(env: Env, name: string): boolean {
  const text = env[name];
  if (text === undefined || text === "" || text === "0" || text === "false") return false;
  if (text === "1" || text === "true") return true;
  throw new UsageError(`${name}=${text}: expected 1 or 0\n\n${HELP}`);
}
