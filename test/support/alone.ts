import type { BaseConfig, Env } from "#kit/config.ts";
import { createPlatform, type Platform } from "#kit/platform.ts";
import type { RunningService, StartService } from "#kit/service.ts";
import { freshPrefix, mongoUri, temporalAddress } from "./env.ts";
import { createNamespace } from "./namespace.ts";

/** A service that runs alone for one test file, with databases and a Temporal namespace of its own. */
export interface Alone extends AsyncDisposable {
  /** `http://host:port`. */
  readonly url: string;
  readonly address: string;
  readonly prefix: string;
  readonly platform: Platform;
  readonly namespace: string;
  /** Stops the service and starts it again on the same databases. */
  restart(env?: Env): Promise<void>;
  /** Starts one more instance on the same databases; disposed with this one. */
  another(env?: Env): Promise<RunningService>;
}

const STANDARD: Env = {
  SETTLE_LOG_LEVEL: "silent",
  SETTLE_SEALING_KEY: "sealing-key-of-the-tests-of-at-least-32-characters",
};

/** Where the service finds Temporal; by default the run's server and a new namespace. */
export interface TemporalPlace {
  readonly address: string;
  readonly namespace: string;
}

/** Starts one service on a free port. `env` is the environment it would read. */
export async function startAlone<C extends BaseConfig>(
  readConfig: (env: Env) => C,
  start: StartService<C>,
  env: Env = {},
  place?: TemporalPlace,
): Promise<Alone> {
  const prefix = freshPrefix();
  const { address, namespace } = place ?? {
    address: temporalAddress(),
    namespace: await createNamespace(),
  };
  const config = (changes: Env): C => ({
    ...readConfig({ ...STANDARD, ...env, ...changes }),
    port: 0,
    mongoUri: mongoUri(),
    databasePrefix: prefix,
    temporalAddress: address,
    temporalNamespace: namespace,
  });
  const platform = createPlatform(config({}));
  let service = await start(config({}), platform);
  const others: AsyncDisposable[] = [];
  return {
    get url() {
      return `http://${service.address}`;
    },
    get address() {
      return service.address;
    },
    prefix,
    platform,
    namespace,
    async restart(changes = {}) {
      await service[Symbol.asyncDispose]();
      service = await start(config(changes), platform);
    },
    async another(changes = {}) {
      // A connection takes one worker per task queue: another instance has a platform of its own, as in production.
      const itsPlatform = createPlatform(config(changes));
      const other = await start(config(changes), itsPlatform);
      others.push(other, itsPlatform);
      return other;
    },
    async [Symbol.asyncDispose]() {
      for (const running of [...others, service]) await running[Symbol.asyncDispose]();
      await dropDatabases(platform, prefix);
      await platform[Symbol.asyncDispose]();
    },
  };
}

async function dropDatabases(platform: Platform, prefix: string): Promise<void> {
  const mongo = await platform.mongo();
  const { databases } = await mongo.db().admin().listDatabases({ nameOnly: true });
  for (const { name } of databases) {
    if (name.startsWith(`${prefix}_`)) await mongo.db(name).dropDatabase();
  }
}
