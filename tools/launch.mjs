// Runs on the machine's own Node (20 or later) and before anything is installed: no packages, no TypeScript.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const NODE_MAJOR = 24;
const NODE_OLDEST = 20;
/** How often a process looks whether the one that started it is still there. */
const ORPHAN_CHECK_MS = 500;

/** The clone this script lies in. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = path.join(ROOT, "node_modules");
/** Holds the hash of the lock file that node_modules was installed from. */
const MARKER = path.join(MODULES, ".settle-installed");
/** Holds which Node 24 was found to run on this machine. */
const NODE_MARKER = path.join(MODULES, ".settle-node");

/** Something a person has to do; printed without a stack. */
export class LaunchError extends Error {}

/**
 * Installs what is missing, then runs `args` under Node 24 and ends with its exit code. Signals are passed on.
 * @param {string[]} args script and its arguments
 */
export async function launch(args, env = {}) {
  try {
    checkNode();
    await ensureModules();
    process.exitCode = await runUnder(findNode(), args, env);
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

function checkNode() {
  if (major(process.version) >= NODE_OLDEST) return;
  throw new LaunchError(
    `Settle needs Node ${NODE_OLDEST} or later to begin with; this is ${process.version}. ` +
      `Install Node ${NODE_MAJOR} and run the command again.`,
  );
}

async function ensureModules() {
  if (isInstalled()) return;
  await underInstallLock(async () => {
    if (isInstalled()) return;
    process.stdout.write("Installing packages (npm ci; the first run takes about a minute)\n");
    await npmCi();
    writeMarker();
  });
}

function isInstalled() {
  const wanted = lockHash();
  if (readText(MARKER)?.trim() === wanted) return true;
  if (!matchesLockFile()) return false;
  writeMarker();
  return true;
}

/** Whether somebody ran npm himself and node_modules is what the lock file says. */
function matchesLockFile() {
  const installed = readPackages(path.join(MODULES, ".package-lock.json"));
  const wanted = readPackages(path.join(ROOT, "package-lock.json"));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === "") return true;
    const found = installed[name];
    // Packages for other systems are in the lock file and not on the disk.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

async function npmCi() {
  const args = ["ci", "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
  // Its warnings are about the Node that runs npm, which is not the one that runs Settle.
  args.push("--loglevel=error");
  // npm tells its own place to the scripts it runs; a shell would find it by name.
  const npm = process.env.npm_execpath;
  const [file, before] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  const child = spawn(file, [...before, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    shell: file === "npm" && process.platform === "win32",
  });
  const started = Date.now();
  const progress = setInterval(() => {
    process.stdout.write(`  still installing (${Math.round((Date.now() - started) / 1000)} s)\n`);
  }, 10_000);
  const code = await ended(child).finally(() => clearInterval(progress));
  if (code !== 0) {
    throw new LaunchError(
      "npm ci failed (its own message is above). It needs the npm registry, or a mirror that npm is set to use.",
    );
  }
}

/** npm ci empties node_modules: two at once, by npm start and npm test, would wreck each other. */
async function underInstallLock(body) {
  const file = path.join(ROOT, ".cache", "install.lock");
  mkdirSync(path.dirname(file), { recursive: true });
  while (!takeLock(file)) await delay(500);
  try {
    await body();
  } finally {
    rmSync(file, { force: true });
  }
}

function takeLock(file) {
  try {
    const handle = openSync(file, "wx");
    writeFileSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const owner = Number(readText(file));
  if (owner > 0 && !isRunning(owner)) rmSync(file, { force: true });
  return false;
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Node 24 as npm installed it, or the running one when it is new enough. */
function findNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const place = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const packaged = path.join(MODULES, place, "bin", name);
  if (process.execPath === packaged) return packaged;
  if (existsSync(packaged) && runsHere(packaged)) return packaged;
  if (major(process.version) >= NODE_MAJOR) return process.execPath;
  throw new LaunchError(
    `Settle runs on Node ${NODE_MAJOR}; this is ${process.version}, and npm has no Node ${NODE_MAJOR} that runs on ` +
      `${process.platform} ${process.arch}. Install Node ${NODE_MAJOR} and run the command again.`,
  );
}

/** Asking it costs a start of it: once per file is enough. */
function runsHere(file) {
  const { size, mtimeMs } = statSync(file);
  const identity = `${file} ${size} ${mtimeMs}`;
  if (readText(NODE_MARKER) === identity) return true;
  if (!runs(file)) return false;
  writeFileSync(NODE_MARKER, identity);
  return true;
}

function runs(file) {
  const result = spawnSync(file, ["--version"], { encoding: "utf8" });
  return result.status === 0 && major(result.stdout) >= NODE_MAJOR;
}

async function runUnder(node, args, env) {
  const search = [path.dirname(node), path.join(MODULES, ".bin"), process.env.PATH ?? ""];
  const child = spawn(node, args, {
    stdio: "inherit",
    env: {
      ...process.env,
      ...env,
      PATH: search.join(path.delimiter),
      // By which the child sees that this process was killed without a word.
      SETTLE_LAUNCHER_PID: String(process.pid),
    },
  });
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(() => child.kill("SIGTERM"));
  // Ctrl-C reaches the child by itself as well; it takes signals that come together for one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  return await ended(child);
}

/** npm that was killed cannot pass that on: its child, or the shell between the two, gets another parent. */
function whenOrphaned(end) {
  const parent = process.ppid;
  const shell = /(^|\/)-?(da|ba|z|k|a)?sh$/.test(processField(parent, "comm") ?? "");
  const starter = () => (shell ? processField(parent, "ppid") : undefined);
  const first = starter();
  const timer = setInterval(() => {
    if (process.ppid === parent && starter() === first) return;
    clearInterval(timer);
    end();
  }, ORPHAN_CHECK_MS);
  timer.unref();
}

/** Name or parent of a process; undefined where the system does not tell. */
function processField(pid, field) {
  if (process.platform === "win32") return undefined;
  if (process.platform !== "linux") {
    return spawnSync("ps", ["-o", `${field}=`, "-p", String(pid)], {
      encoding: "utf8",
    }).stdout?.trim();
  }
  const stat = readText(`/proc/${pid}/stat`);
  // The name may hold spaces and brackets: it ends at the last one.
  const end = stat?.lastIndexOf(")") ?? -1;
  if (field === "comm") return stat?.slice(stat.indexOf("(") + 1, end);
  return stat?.slice(end + 2).split(" ")[1];
}

/** Exit code of a child; 128 + n when signal n ended it, as a shell says it. */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

function lockHash() {
  return createHash("sha256")
    .update(readFileSync(path.join(ROOT, "package-lock.json")))
    .digest("hex");
}

function writeMarker() {
  writeFileSync(MARKER, `${lockHash()}\n`);
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function major(version) {
  return Number(/^v?(\d+)/.exec(version)?.[1] ?? 0);
}
