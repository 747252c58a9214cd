import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isAlive, processBirth } from "../provision/lock.ts";
import { writeAtomically } from "./data-dir.ts";

/** A program to supervise. */
export interface ChildSpec {
  /** As it stands in messages and file names. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Directory for `<name>.log`. */
  readonly logs: string;
  /** Directory for `<name>.json`, by which a later start finds a program left behind. */
  readonly run: string;
}

/** A running program. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Settles when it has ended, with a sentence about how. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  /** SIGTERM, and SIGKILL when it takes longer than `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  kill(): void;
}

/** Ends the children of a supervisor that was killed; one for all of them. */
export interface Guard {
  watch(pid: number): void;
  forget(pid: number): void;
  close(): void;
}

const STOP_GRACE_MS = 20_000;

/** Starts a program in a process group of its own, so that Ctrl-C reaches only its supervisor. */
export async function startChild(spec: ChildSpec, guard: Guard): Promise<Child> {
  await stopLeftover(spec);
  const log = openSync(path.join(spec.logs, `${spec.name}.log`), "a");
  const process_ = spawn(spec.file, [...spec.args], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...spec.env },
  });
  closeSync(log);
  const { pid } = process_;
  if (pid === undefined) throw await startFailure(process_, spec);
  guard.watch(pid);
  const identity = { pid, birth: processBirth(pid), file: spec.file };
  await writeAtomically(runFile(spec), JSON.stringify(identity));
  return supervise(process_, pid, spec, guard);
}

function supervise(process_: ChildProcess, pid: number, spec: ChildSpec, guard: Guard): Child {
  let ended = process_.exitCode !== null || process_.signalCode !== null;
  const exited = new Promise<string>((resolve) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      ended = true;
      guard.forget(pid);
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      rm(runFile(spec), { force: true }).finally(() => resolve(`${spec.name} ended (${how})`));
    };
    if (ended) finish(process_.exitCode, process_.signalCode);
    else process_.once("exit", finish);
  });
  return {
    name: spec.name,
    pid,
    exited,
    hasExited: () => ended,
    kill: () => void process_.kill("SIGKILL"),
    async stop(graceMs = STOP_GRACE_MS) {
      if (!ended) process_.kill("SIGTERM");
      const timer = setTimeout(() => process_.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function startFailure(process_: ChildProcess, spec: ChildSpec): Promise<Error> {
  const cause = await new Promise((resolve) => process_.once("error", resolve));
  return new Error(`${spec.name} could not be started from ${spec.file}: ${cause}`, { cause });
}

function runFile(spec: ChildSpec): string {
  return path.join(spec.run, `${spec.name}.json`);
}

/** A program that an earlier, killed start left behind holds the data: it is ended before a new one begins. */
async function stopLeftover(spec: ChildSpec): Promise<void> {
  const text = await readFile(runFile(spec), "utf8").catch(() => undefined);
  if (text === undefined) return;
  const left = parseIdentity(text);
  // Birth tells it from a stranger that got its pid; without birth we touch nothing.
  if (left?.birth === undefined || !isAlive(left)) return;
  process.kill(left.pid, "SIGTERM");
  const deadline = Date.now() + STOP_GRACE_MS;
  while (isAlive(left)) {
    if (Date.now() > deadline) process.kill(left.pid, "SIGKILL");
    await delay(50);
  }
}

function parseIdentity(text: string): { pid: number; birth: string | undefined } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value)) return undefined;
    if (typeof value.pid !== "number") return undefined;
    const birth = "birth" in value && typeof value.birth === "string" ? value.birth : undefined;
    return { pid: value.pid, birth };
  } catch {
    return undefined;
  }
}

/** The last lines a program logged, for the message that says why it ended. */
export async function lastLogLines(logs: string, name: string, count = 20): Promise<string> {
  const text = await readFile(path.join(logs, `${name}.log`), "utf8").catch(() => "");
  return text
    .trimEnd()
    .split("\n")
    .slice(-count)
    .map((line) => `    ${line.slice(0, 500)}`)
    .join("\n");
}

/** Starts the guard process. */
export function startGuard(): Guard {
  const script = fileURLToPath(new URL("guard.mjs", import.meta.url));
  const process_ = spawn(process.execPath, [script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const tell = (line: string): void => {
    if (process_.stdin.writable) process_.stdin.write(`${line}\n`);
  };
  process_.on("error", () => undefined);
  process_.stdin.on("error", () => undefined);
  // The guard must not keep its supervisor alive.
  process_.unref();
  if ("unref" in process_.stdin && typeof process_.stdin.unref === "function")
    process_.stdin.unref();
  return {
    watch: (pid) => tell(`+${pid}`),
    forget: (pid) => tell(`-${pid}`),
    close: () => process_.stdin.end(),
  };
}
