import { type BaseConfig, type Env, EnvReader, readBaseConfig } from "#kit/config.ts";

/** Settings of the Account service. */
export interface AccountConfig extends BaseConfig {
  /** Opens the demo accounts when the ledger is empty. SETTLE_SEED_DEMO=1; default off. */
  readonly seedDemo: boolean;
  /** Polls `account-activity-tasks`. SETTLE_ACCOUNT_WORKER=0 turns it off; default on. */
  readonly worker: boolean;
}

/** Reads the settings; throws one error with every mistake. */
export function readAccountConfig(env: Env): AccountConfig {
  const reader = new EnvReader(env);
  const config: AccountConfig = {
    ...readBaseConfig(reader, "account"),
    seedDemo: reader.oneOf("SETTLE_SEED_DEMO", "0", ["0", "1"]) === "1",
    worker: reader.oneOf("SETTLE_ACCOUNT_WORKER", "1", ["0", "1"]) === "1",
  };
  reader.finish();
  return Object.freeze(config);
}
