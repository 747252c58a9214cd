import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Infrastructure, startPrivateInfrastructure } from "#tools/devstack/infrastructure.ts";
import { defaultDeps, ProvisionError, provision } from "#tools/provision/provision.ts";
import type { ToolName } from "#tools/provision/tools.ts";
import { toolVariable } from "./env.ts";

/** Tools some suites need; a suite without its tool says so by itself. */
const SUITE_TOOLS: readonly ToolName[] = ["temporal-test-server", "k6", "grpcurl"];
const SERVER_TOOLS: readonly ToolName[] = ["mongod", "temporal"];

/**
 * Starts mongod and Temporal for the run, in a directory and on ports of its own, so that it runs beside `npm start`;
 * or uses those that MONGODB_URI and TEMPORAL_ADDRESS name. The answer removes everything again.
 */
export async function setup(): Promise<() => Promise<void>> {
  const deps = defaultDeps();
  const directory = await mkdtemp(path.join(tmpdir(), "settle-test-"));
  let infrastructure: Infrastructure | undefined;
  const teardown = async (): Promise<void> => {
    await infrastructure?.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const suiteTools = Promise.all(SUITE_TOOLS.map(provideSuiteTool));
    // Handled below; without this line an early failure would end the process before the teardown.
    suiteTools.catch(() => undefined);
    infrastructure = await startPrivateInfrastructure(directory, deps);
    for (const tool of SERVER_TOOLS) await provideTool(tool);
    await suiteTools;
  } catch (error) {
    await teardown();
    throw error;
  }
  process.env["MONGODB_URI"] ||= infrastructure.mongodbUri;
  process.env["TEMPORAL_ADDRESS"] ||= infrastructure.temporalAddress;
  return teardown;
}

async function provideTool(tool: ToolName): Promise<void> {
  const found = await provision(tool, defaultDeps());
  process.env[toolVariable(tool)] = found.path;
}

async function provideSuiteTool(tool: ToolName): Promise<void> {
  try {
    await provideTool(tool);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    console.warn(
      `${error.message}\nThe tests that need ${tool} fail or say that they are skipped.`,
    );
  }
}
