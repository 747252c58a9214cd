import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A process that is told from a later one with the same pid by when it began. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; undefined where the system does not tell. */
  readonly birth: string | undefined;
}

/** When a process began, in the system's own words; undefined when no such process runs. */
export function processBirth(pid: number): string | undefined {
  try {
    if (process.platform === "linux") return linuxBirth(pid);
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return text.trim() === "" ? undefined : text.trim();
  } catch {
    return undefined;
  }
}

function linuxBirth(pid: number): string | undefined {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name may hold spaces and brackets: the fields begin after the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  const birth = processBirth(identity.pid);
  return birth !== undefined && (identity.birth === undefined || identity.birth === birth);
}

/** A held lock file; releasing it twice is harmless. */
export interface Lock {
  release(): Promise<void>;
}

/** The lock, or who holds it. A lock whose owner is dead is taken over. */
export async function tryLock(file: string): Promise<Lock | ProcessIdentity> {
  await mkdir(path.dirname(file), { recursive: true });
  const mine: ProcessIdentity = { pid: process.pid, birth: processBirth(process.pid) };
  for (;;) {
    if (await created(file, JSON.stringify(mine))) {
      return { release: () => rm(file, { force: true }) };
    }
    const owner = await readOwner(file);
    if (owner === "gone") continue;
    if (owner === "being written") await delay(20);
    else if (isAlive(owner)) return owner;
    else await removeStale(file);
  }
}

/** Runs `body` under the lock; waits for a live owner up to `waitMs`. `onWait` is called once, with the owner. */
export async function withLock<T>(
  file: string,
  options: { readonly waitMs: number; readonly onWait?: (owner: ProcessIdentity) => void },
  body: () => Promise<T>,
): Promise<T> {
  const lock = await waitForLock(file, options);
  try {
    return await body();
  } finally {
    await lock.release();
  }
}

async function waitForLock(
  file: string,
  options: { readonly waitMs: number; readonly onWait?: (owner: ProcessIdentity) => void },
): Promise<Lock> {
  const deadline = Date.now() + options.waitMs;
  let told = false;
  for (;;) {
    const got = await tryLock(file);
    if ("release" in got) return got;
    if (!told) options.onWait?.(got);
    told = true;
    if (Date.now() > deadline) {
      throw new Error(
        `${file} is held by process ${got.pid}; end that process, or delete the file`,
      );
    }
    await delay(100);
  }
}

async function created(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Time after which a lock without content belongs to a writer that died between creating and writing. */
const HALF_WRITTEN_MS = 2_000;

async function readOwner(file: string): Promise<ProcessIdentity | "gone" | "being written"> {
  const [text, info] = await Promise.all([
    readFile(file, "utf8").catch(() => undefined),
    stat(file).catch(() => undefined),
  ]);
  if (text === undefined || info === undefined) return "gone";
  const owner = parseOwner(text);
  if (owner !== undefined) return owner;
  if (Date.now() - info.mtimeMs < HALF_WRITTEN_MS) return "being written";
  return { pid: 0, birth: "nobody" };
}

function parseOwner(text: string): ProcessIdentity | undefined {
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

/** After this long a takeover belongs to a process that died in the middle of its few milliseconds. */
const TAKEOVER_MS = 10_000;

/**
 * Removes a dead owner's lock, one process at a time: under a guard file the owner is read again, and while it is the dead
 * one nobody else can have created the lock. Whoever finds the guard taken looks at the lock again a little later.
 */
async function removeStale(file: string): Promise<void> {
  const guard = `${file}.takeover`;
  if (!(await created(guard, String(process.pid)))) {
    const age = Date.now() - ((await stat(guard).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > TAKEOVER_MS) await rm(guard, { force: true });
    return delay(20);
  }
  try {
    const owner = await readOwner(file);
    if (typeof owner === "object" && !isAlive(owner)) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}
