import { fileURLToPath } from "node:url";
import type { Env, ServiceName } from "#kit/config.ts";
import { type Child, type Guard, startChild } from "./child.ts";
import type { DataDir } from "./data-dir.ts";
import { endedError, gateServing } from "./gate.ts";
import type { Reach } from "./reach.ts";
import { type ServiceGroup, STOP_ORDER } from "./service-group.ts";

const READY_DEADLINE_MS = 60_000;

/** Starts every service as a process of its own. One that ends is not restarted: the stack stops and says why. */
export async function startSplit(
  ports: ReadonlyMap<ServiceName, number>,
  reach: Reach,
  env: Env,
  dataDir: DataDir,
  guard: Guard,
): Promise<ServiceGroup> {
  const children = new Map<ServiceName, Child>();
  const stop = async (): Promise<void> => {
    for (const group of STOP_ORDER)
      await Promise.all(group.map((name) => children.get(name)?.stop()));
  };
  const results = await Promise.allSettled(
    [...ports].map(async ([name, port]) => {
      const child = await startOne(name, env, dataDir, guard);
      children.set(name, child);
      const url = `${reach.scheme}://${reach.host}:${port}`;
      const target = { url, service: "", identity: reach.identity };
      await gateServing(child, dataDir.logs, READY_DEADLINE_MS, target);
    }),
  );
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  const ended = [...children.values()].map(async (child) => {
    await child.exited;
    return (await endedError(child, dataDir.logs)).message;
  });
  return {
    failed: Promise.race(ended),
    stop,
    kill: () => {
      for (const child of children.values()) child.kill();
    },
  };
}

async function startOne(
  name: ServiceName,
  env: Env,
  dataDir: DataDir,
  guard: Guard,
): Promise<Child> {
  const main = fileURLToPath(new URL(`../../services/${name}/main.ts`, import.meta.url));
  const { logs, run } = dataDir;
  return await startChild({ name, file: process.execPath, args: [main], env, logs, run }, guard);
}
