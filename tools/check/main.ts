import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type ExecResult, exec } from "../provision/exec.ts";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
/** The contract as it was last released; committed, so that breaking it needs a deliberate act. */
const BASELINE = "api/v1.binpb";
const CHECK_TIMEOUT_MS = 10 * 60_000;

interface Check {
  readonly name: string;
  readonly run: () => Promise<ExecResult>;
}

/** What a change must pass besides the tests, cheapest to read first. */
const CHECKS: readonly Check[] = [
  { name: "types (tsc)", run: () => tool("tsc", "-p", ".") },
  { name: "lint and format (biome)", run: () => tool("biome", "check", "--colors=off", ".") },
  {
    name: "import directions (dependency-cruiser)",
    run: () =>
      tool(
        "depcruise",
        "--config",
        ".dependency-cruiser.cjs",
        "services",
        "client",
        "tools",
        "test",
      ),
  },
  { name: "contract style (buf lint)", run: () => tool("buf", "lint") },
  { name: "contract unbroken (buf breaking)", run: checkBreaking },
  { name: "gen/ is fresh (buf generate)", run: checkGenerated },
];

function tool(name: string, ...args: string[]): Promise<ExecResult> {
  return exec(path.join(ROOT, "node_modules", ".bin", name), args, { timeoutMs: CHECK_TIMEOUT_MS });
}

async function checkBreaking(): Promise<ExecResult> {
  const exists = await access(path.join(ROOT, BASELINE)).then(
    () => true,
    () => false,
  );
  if (!exists) return { code: 0, stdout: "", stderr: "" };
  return tool("buf", "breaking", "--against", BASELINE);
}

/** Generates into a directory of its own and compares: the tree is not touched. */
async function checkGenerated(): Promise<ExecResult> {
  const directory = await mkdtemp(path.join(tmpdir(), "settle-gen-"));
  try {
    const generated = await tool("buf", "generate", "--output", directory);
    if (generated.code !== 0) return generated;
    const args = ["diff", "--no-index", "--stat", path.join(directory, "gen"), "gen"];
    const diff = await exec("git", args, { timeoutMs: CHECK_TIMEOUT_MS });
    const hint = "gen/ is not what proto/ says; run npm run gen and commit it\n";
    return diff.code === 0 ? diff : { ...diff, stdout: `${diff.stdout}${hint}` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const reportFile = process.argv[2]?.startsWith("--report=")
    ? process.argv[2].slice(9)
    : undefined;
  let failed = 0;
  for (const check of CHECKS) {
    const startMs = Date.now();
    const result = await check.run();
    const took = ((Date.now() - startMs) / 1000).toFixed(1);
    console.log(`${result.code === 0 ? "ok    " : "FAILED"} ${check.name} (${took} s)`);
    if (result.code === 0) continue;
    failed += 1;
    console.log(`${result.stdout}${result.stderr}`.trimEnd());
  }
  const passed = CHECKS.length - failed;
  if (reportFile !== undefined) await writeFile(reportFile, JSON.stringify({ passed, failed }));
  return failed === 0 ? 0 : 1;
}

process.chdir(ROOT);
process.exitCode = await main();
