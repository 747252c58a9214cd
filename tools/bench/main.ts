// How long the second `npm start` takes, against what mongod and Temporal need by themselves on the same data: the two
// take turns, so that both meet the same machine. Usage: npm run bench:start -- [rounds]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { findBinaries } from "../devstack/binaries.ts";
import { openDataDir } from "../devstack/data-dir.ts";
import { startInfrastructure } from "../devstack/infrastructure.ts";
import { createProgress } from "../provision/progress.ts";
import { defaultDeps } from "../provision/provision.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const ROUNDS = 5;
/** The bar: npm start may take this many times what the bare servers take. */
const RATIO_MAX = 3;

// Servers that run already would make both times meaningless.
const env = { ...process.env, MONGODB_URI: "", TEMPORAL_ADDRESS: "" };

/** From the command to the line that says it is up, in milliseconds; then it is stopped in order. */
async function wholeStart(dataDir: string): Promise<number> {
  const begin = performance.now();
  const args = ["tools/run.mjs", "start", "--no-demo", "--data-dir", dataDir];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    env,
  });
  const ended = once(child, "exit");
  let tookMs: number | undefined;
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    if (tookMs !== undefined || !String(chunk).includes("Settle is up")) continue;
    tookMs = performance.now() - begin;
    child.kill("SIGTERM");
  }
  await ended;
  if (tookMs === undefined) throw new Error("npm start ended before it was up");
  return tookMs;
}

/** Both servers side by side, from their start until they take work, in milliseconds. */
async function bareStart(directory: string): Promise<number> {
  const progress = createProgress({ isTTY: false, columns: 80, write: () => undefined });
  const deps = { ...defaultDeps(progress), env };
  const binaries = await findBinaries(deps);
  const dataDir = await openDataDir(directory);
  const begin = performance.now();
  const infrastructure = await startInfrastructure({ dataDir, binaries, deps });
  const tookMs = performance.now() - begin;
  await infrastructure.stop();
  return tookMs;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const rounds = Number(process.argv[2] ?? ROUNDS);
const dataDir = await mkdtemp(path.join(tmpdir(), "settle-bench-"));
try {
  await wholeStart(dataDir);
  const bare: number[] = [];
  const whole: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    bare.push(await bareStart(dataDir));
    whole.push(await wholeStart(dataDir));
    const [bareMs, wholeMs] = [bare.at(-1), whole.at(-1)];
    process.stdout.write(
      `round ${round}: bare ${bareMs?.toFixed(0)} ms, npm start ${wholeMs?.toFixed(0)} ms\n`,
    );
  }
  const ratio = median(whole) / median(bare);
  const result = {
    cpus: cpus().length,
    rounds,
    bareMs: Math.round(median(bare)),
    npmStartMs: Math.round(median(whole)),
    ratio: Number(ratio.toFixed(2)),
    within: ratio <= RATIO_MAX,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
