import { randomBytes } from "node:crypto";
import {
  access,
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { type Lock, tryLock } from "../provision/lock.ts";

/** Layout of the data directory; raised when an older Settle could not read it. */
export const DATA_VERSION = 1;

/** Nobody else looks in: there are balances and secrets. */
const PRIVATE_DIR = 0o700;
const PRIVATE_FILE = 0o600;

/** What Settle writes there; `--reset` removes these and nothing else. */
const OURS = [
  "mongo",
  "temporal.db",
  "logs",
  "run",
  "secrets.json",
  "ports.json",
  "version.json",
  "mongod.json",
  "start.lock",
];

/** A directory this process may write to until it lets go. */
export interface DataDir {
  readonly path: string;
  readonly mongo: string;
  readonly temporalDb: string;
  readonly logs: string;
  /** Identities of the programs that run from this directory. */
  readonly run: string;
  readonly portsFile: string;
  /** Which mongod wrote `mongo`. */
  readonly mongodFile: string;
  release(): Promise<void>;
}

/** Something about the directory a person must decide; nothing was changed. */
export class DataDirError extends Error {
  override readonly name = "DataDirError";
}

/**
 * Opens or creates a data directory for this process alone. Refuses one that another start uses, one that a newer
 * Settle wrote, and one that holds files of our names but is not ours.
 */
export async function openDataDir(dir: string): Promise<DataDir> {
  const root = path.resolve(dir);
  try {
    return await openRoot(root);
  } catch (error) {
    throw sentenceOf(root, error);
  }
}

async function openRoot(root: string): Promise<DataDir> {
  await makeDirectories(root);
  await checkVersion(root);
  const lock = await lockDir(root);
  try {
    await writeVersion(root);
    const places = {
      path: root,
      mongo: path.join(root, "mongo"),
      temporalDb: path.join(root, "temporal.db"),
      logs: path.join(root, "logs"),
      run: path.join(root, "run"),
      portsFile: path.join(root, "ports.json"),
      mongodFile: path.join(root, "mongod.json"),
    };
    for (const place of [places.mongo, places.logs, places.run])
      await mkdir(place, { recursive: true, mode: PRIVATE_DIR });
    await closeToOthers(root);
    return { ...places, release: () => lock.release() };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Deletes what Settle stored there, and the directory when nothing else is in it. Refuses while it is in use. */
export async function resetDataDir(dir: string): Promise<void> {
  const root = path.resolve(dir);
  try {
    await resetRoot(root);
  } catch (error) {
    throw sentenceOf(root, error);
  }
}

async function resetRoot(root: string): Promise<void> {
  const names = await readdir(root).catch(() => []);
  if (names.length === 0) return;
  await checkVersion(root);
  const lock = await lockDir(root);
  // The lock itself goes last, so that no other start slips in.
  for (const name of names.filter((name) => isOurs(name) && name !== "start.lock")) {
    await rm(path.join(root, name), { recursive: true, force: true });
  }
  await lock.release();
  await rmdir(root).catch(() => undefined);
}

/** Node's own recursive mkdir never comes back from where the system answers "not found" to every mkdir, as in /proc. */
async function makeDirectories(place: string): Promise<void> {
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory()) return;
  const parent = path.dirname(place);
  if (parent !== place) await makeDirectories(parent);
  await mkdir(place, { mode: PRIVATE_DIR }).catch(async (error: NodeJS.ErrnoException) => {
    // Another start made it in this very moment.
    if (error.code === "EEXIST" && (await stat(place)).isDirectory()) return;
    throw error;
  });
}

/** What earlier versions made could be looked into. The directory itself may be somebody's: it stays as it is. */
async function closeToOthers(root: string): Promise<void> {
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!isOurs(entry.name)) continue;
    const mode = entry.isDirectory() ? PRIVATE_DIR : PRIVATE_FILE;
    // A database may have removed its journal meanwhile.
    await chmod(path.join(root, entry.name), mode).catch(() => undefined);
  }
}

/** What the system says in a word, for people. */
const WHY: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the disk is read-only",
  EEXIST: "it, or a part of its path, is a file",
  ENOTDIR: "it, or a part of its path, is a file",
  ENOENT: "nothing can be made there",
  ENOSPC: "the disk is full",
  ENAMETOOLONG: "the path is too long",
  ELOOP: "its links lead in a circle",
};

function sentenceOf(root: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "" || error instanceof DataDirError) return error;
  const why = WHY[code] ?? `the system says ${code}`;
  return new DataDirError(
    `${root} cannot be used to store anything: ${why}; take another directory by --data-dir`,
    { cause: error },
  );
}

async function lockDir(root: string): Promise<Lock> {
  const lock = await tryLock(path.join(root, "start.lock"));
  if ("release" in lock) return lock;
  throw new DataDirError(
    `${root} is in use by process ${lock.pid}; stop that one first, or take another --data-dir`,
  );
}

async function checkVersion(root: string): Promise<void> {
  const file = path.join(root, "version.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) {
    const foreign = (await readdir(root)).filter((name) => isOurs(name) && name !== "start.lock");
    if (foreign.length === 0) return;
    throw new DataDirError(
      `${root} holds ${foreign.join(", ")} but no version.json, so Settle did not make it; ` +
        "take another --data-dir. Nothing was changed.",
    );
  }
  const version = readVersion(text);
  if (version === undefined) {
    throw new DataDirError(`${file} cannot be read; restore it, or take another --data-dir`);
  }
  if (version > DATA_VERSION) {
    throw new DataDirError(
      `${root} was written by a newer Settle (data version ${version}, this one knows ${DATA_VERSION}); ` +
        "run that version, or take another --data-dir. Nothing was changed.",
    );
  }
}

function readVersion(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("dataVersion" in value)) return undefined;
    return typeof value.dataVersion === "number" ? value.dataVersion : undefined;
  } catch {
    return undefined;
  }
}

async function writeVersion(root: string): Promise<void> {
  const file = path.join(root, "version.json");
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) return;
  await writeAtomically(
    file,
    `${JSON.stringify({ madeBy: "settle", dataVersion: DATA_VERSION })}\n`,
  );
}

/** Readers see the old content or the new, never half of it. */
export async function writeAtomically(
  file: string,
  text: string,
  mode = PRIVATE_FILE,
): Promise<void> {
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}

/** Also what belongs to one of our files: a database's journal, an unfinished atomic write. */
function isOurs(name: string): boolean {
  return OURS.some(
    (ours) => name === ours || name.startsWith(`${ours}.`) || name.startsWith(`${ours}-`),
  );
}
