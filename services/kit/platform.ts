import type { Db, MongoClient } from "mongodb";
import { KEYS_DATABASE } from "./auth/key-store.ts";
import { createSecurity, type Security } from "./auth/security.ts";
import type { BaseConfig } from "./config.ts";
import { createLog, type Log } from "./log.ts";
import { connectMongo } from "./mongo/client.ts";
import { connectTemporal, type TemporalConnection } from "./temporal/connection.ts";

/**
 * What a process shares between the services it runs: one database client, one Temporal connection
 * (client and worker share it, which eager start needs), one logger. Connections are opened on first use.
 */
export interface Platform extends AsyncDisposable {
  readonly log: Log;
  /** For `startRpcServer` (who may call) and `createPeer` (`security.identity`). */
  readonly security: Security;
  /** Connected with majority + journal; asserted on first use. */
  mongo(): Promise<MongoClient>;
  /** The database `<prefix>_<name>`. */
  database(name: string): Promise<Db>;
  temporal(): Promise<TemporalConnection>;
}

/** Opens nothing yet; see `Platform`. */
export function createPlatform(
  config: BaseConfig,
  log: Log = createLog(config.logLevel),
): Platform {
  let mongo: Promise<MongoClient> | undefined;
  let temporal: Promise<TemporalConnection> | undefined;
  const mongoClient = (): Promise<MongoClient> => (mongo ??= connectMongo(config.mongoUri));
  const database = async (name: string): Promise<Db> =>
    (await mongoClient()).db(`${config.databasePrefix}_${name}`);
  const security = createSecurity(config.security, log, () => database(KEYS_DATABASE));
  return {
    log,
    security,
    mongo: mongoClient,
    database,
    temporal: () => (temporal ??= connectTemporal(config, log)),
    async [Symbol.asyncDispose]() {
      security[Symbol.dispose]();
      await (await temporal?.catch(() => undefined))?.connection.close();
      await (await mongo?.catch(() => undefined))?.close();
    },
  };
}
