import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { claimPorts } from "#tools/devstack/ports.ts";
import { waitUntil } from "./wait-until.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Highest offset from `--port-base`. */
const OFFSET_MAX = 13;

/** `npm start` in a process of its own, on ports and in a directory of its own. */
export interface StartProcess {
  readonly pid: number;
  /** Everything it printed so far, both streams. */
  output(): string;
  /** Its end; a run that was killed has code null. */
  readonly ended: Promise<{ readonly code: number | null; readonly lines: readonly string[] }>;
  signal(name: NodeJS.Signals): void;
}

/** Runs the entry script; the infrastructure of the test run is hidden from it. */
export function runStart(args: readonly string[], env: Record<string, string> = {}): StartProcess {
  const child = spawn(process.execPath, [path.join(ROOT, "tools/devstack/main.ts"), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MONGODB_URI: "", TEMPORAL_ADDRESS: "", ...env },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  return {
    pid: child.pid ?? 0,
    output: () => text,
    ended: endOf(child, () => text),
    signal: (name) => void child.kill(name),
  };
}

function endOf(child: ChildProcess, text: () => string): StartProcess["ended"] {
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, lines: text().trimEnd().split("\n") }));
  });
}

/** What a running stack wrote to `ports.json`; that of a start which was killed does not count. */
export async function portsOf(dataDir: string): Promise<Record<string, string>> {
  return await waitUntil(
    async () => {
      const ports = JSON.parse(await readFile(path.join(dataDir, "ports.json"), "utf8"));
      return runs(ports.pid) ? ports : undefined;
    },
    { boundMs: 50_000, what: "ports.json" },
  );
}

/** A data directory that is removed with what is in it. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), "settle-start-"));
  return {
    path: directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** A port base with nobody on any of its ports, all held for this process. */
export function freePortBase(): Promise<number> {
  return claimPorts(OFFSET_MAX + 1);
}

/** Whether a process runs. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
