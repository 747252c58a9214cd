import { spawn } from "node:child_process";

/** What a finished program said. `code` is -1 when it could not be started; `stderr` then says why. */
export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The program is killed after it. Default 10 s. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end; never throws. */
export type Exec = (
  file: string,
  args: readonly string[],
  options?: ExecOptions,
) => Promise<ExecResult>;

/** Text kept of each stream; more than that is noise of a build. */
const TEXT_MAX = 64 * 1024;

export const exec: Exec = (file, args, options = {}) =>
  new Promise((resolve) => {
    const child = spawn(file, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 10_000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-TEXT_MAX);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-TEXT_MAX);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? `${file} was not found` : error.message;
      resolve({ code: -1, stdout, stderr: why });
    });
    child.on("close", (code, signal) => {
      const why = signal === "SIGKILL" ? `${stderr}\n${file} was killed (time limit)` : stderr;
      resolve({ code: code ?? -1, stdout, stderr: why });
    });
  });
