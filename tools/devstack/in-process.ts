import path from "node:path";
import { pino } from "pino";
import { type Env, EnvReader, readBaseConfig, type ServiceName } from "#kit/config.ts";
import type { Log } from "#kit/log.ts";
import { createPlatform } from "#kit/platform.ts";
import { closePeers } from "#kit/rpc/client.ts";
import type { RunningService } from "#kit/service.ts";
import { type ServiceGroup, STOP_ORDER } from "./service-group.ts";
import type { LoadedService } from "./services.ts";

/** Starts all services in this process, each on its own port; they share one platform and log to one file. */
export async function startInProcess(
  loaded: ReadonlyMap<ServiceName, LoadedService>,
  env: Env,
  logs: string,
): Promise<ServiceGroup> {
  const reader = new EnvReader(env);
  const config = readBaseConfig(reader, "account");
  reader.finish();
  const log = fileLog(path.join(logs, "services.log"), config.logLevel);
  const platform = createPlatform(config, log);
  const results = await Promise.allSettled(
    [...loaded].map(async ([name, start]) => [name, await start(env, platform)] as const),
  );
  const running = new Map(
    results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
  );
  const stop = async (): Promise<void> => {
    await stopInOrder(running);
    closePeers();
    await platform[Symbol.asyncDispose]();
  };
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  return { failed: new Promise(() => undefined), stop, kill: () => undefined };
}

async function stopInOrder(running: ReadonlyMap<ServiceName, RunningService>): Promise<void> {
  for (const group of STOP_ORDER) {
    await Promise.all(group.map((name) => running.get(name)?.[Symbol.asyncDispose]()));
  }
}

function fileLog(file: string, level: string): Log {
  const destination = pino.destination({ dest: file, sync: false, minLength: 0 });
  return pino(
    { level, base: {}, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
}
