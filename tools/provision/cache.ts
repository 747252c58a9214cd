import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { processBirth } from "./lock.ts";
import type { ToolSpec } from "./tools.ts";

/** What is known about a cached tool. `mtimeMs` and `size` are those of the file when its hash was taken. */
interface Manifest {
  readonly sha256: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly source: string;
}

/** `$XDG_CACHE_HOME/settle`, else `~/.cache/settle`. */
export function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const base = env["XDG_CACHE_HOME"];
  if (base && path.isAbsolute(base)) return path.join(base, "settle");
  return path.join(env["HOME"] || homedir(), ".cache", "settle");
}

/** Directory of one version of one tool. */
export function cacheDir(root: string, spec: ToolSpec): string {
  return path.join(root, spec.name, spec.version);
}

/** The cached file when it is whole, or why it is not. An untouched file is not hashed again. */
export async function readCache(
  root: string,
  spec: ToolSpec,
): Promise<{ readonly file: string } | { readonly why: string }> {
  const dir = cacheDir(root, spec);
  const file = path.join(dir, spec.name);
  const manifest = await readManifest(dir);
  const info = await stat(file).catch(() => undefined);
  if (manifest === undefined && info === undefined) return { why: "empty" };
  if (manifest === undefined || info === undefined) return { why: "incomplete" };
  if (info.size === manifest.size && info.mtimeMs === manifest.mtimeMs) return { file };
  if ((await sha256Of(file)) !== manifest.sha256)
    return { why: "damaged (its checksum does not match)" };
  return { file };
}

/** A directory of our own beside the cache entries, on the same file system, so that a rename is atomic. */
export async function makeStaging(root: string, spec: ToolSpec): Promise<string> {
  const parent = path.join(root, spec.name);
  await mkdir(parent, { recursive: true });
  await removeLeftovers(parent);
  const staging = path.join(parent, `.staging-${process.pid}-${Date.now()}`);
  await mkdir(staging);
  return staging;
}

/** Puts a finished file in place: whole entry or none, whatever interrupts it. */
export async function commitToCache(
  root: string,
  spec: ToolSpec,
  staging: string,
  file: string,
  source: string,
): Promise<string> {
  const entry = path.join(staging, "entry");
  await mkdir(entry);
  const staged = path.join(entry, spec.name);
  await rename(file, staged);
  await chmod(staged, 0o755);
  const info = await stat(staged);
  const manifest: Manifest = {
    sha256: await sha256Of(staged),
    size: info.size,
    mtimeMs: info.mtimeMs,
    source,
  };
  await writeFile(path.join(entry, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const dir = cacheDir(root, spec);
  // The old entry goes aside, not away: a program that runs from it keeps its file.
  await rename(dir, path.join(staging, "old")).catch(ignoreMissing);
  await rename(entry, dir);
  return path.join(dir, spec.name);
}

/** sha256 of a file, in hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

async function readManifest(dir: string): Promise<Manifest | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path.join(dir, "manifest.json"), "utf8"));
    return isManifest(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const fields = { sha256: "string", size: "number", mtimeMs: "number", source: "string" };
  return Object.entries(fields).every(([name, type]) => typeof Reflect.get(value, name) === type);
}

/** Removes what a killed process left half done. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^\.staging-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && processBirth(Number(pid)) === undefined) {
      await rm(path.join(parent, name), { recursive: true, force: true });
    }
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
