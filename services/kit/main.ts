import type { BaseConfig, Env } from "./config.ts";
import { createPlatform } from "./platform.ts";
import { closePeers } from "./rpc/client.ts";
import type { StartService } from "./service.ts";

/** After everything was closed, how long a forgotten handle may keep the process alive, in milliseconds. */
const EXIT_GRACE_MS = 3_000;

/**
 * The whole of a service's `main.ts`: reads the environment, starts the service, waits for SIGTERM or SIGINT,
 * drains and closes. A second signal ends the process at once. Exit code 1 when it could not start.
 */
export async function runMain<C extends BaseConfig>(
  readConfig: (env: Env) => C,
  start: StartService<C>,
): Promise<void> {
  const stop = stopSignal();
  try {
    const config = readConfig(process.env);
    await using platform = createPlatform(config);
    await using service = await start(config, platform);
    platform.log.info({ service: service.name, address: service.address }, "serving");
    const signal = await stop;
    platform.log.info({ service: service.name, signal }, "stopping");
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    process.exitCode = 1;
  }
  closePeers();
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}

/** The first SIGTERM or SIGINT. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.on(name, () => {
        if (stopping) process.exit(1);
        stopping = true;
        resolve(name);
      });
    }
  });
}
