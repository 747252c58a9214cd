import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createProgress } from "../provision/progress.ts";
import { defaultDeps, ProvisionError, provision } from "../provision/provision.ts";
import { TOOLS, type ToolName } from "../provision/tools.ts";

// `npm run tool -- NAME arguments`: runs a tool that Settle knows, and brings it first where it is missing.

function isTool(name: string | undefined): name is ToolName {
  return name !== undefined && name in TOOLS;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (!isTool(name)) {
    process.stderr.write(`usage: npm run tool -- ${Object.keys(TOOLS).join("|")} [arguments]\n`);
    return 2;
  }
  // Standard output is the tool's own.
  const screen = { isTTY: false, columns: 80, write: (text: string) => process.stderr.write(text) };
  const { path } = await provision(name, defaultDeps(createProgress(screen)));
  const child = spawn(path, args, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]),
    );
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ProvisionError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
