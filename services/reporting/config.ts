import { type BaseConfig, type Env, EnvReader, KEPT_LONG_MS, readBaseConfig } from "#kit/config.ts";

/** Settings of Reporting; `peers.gateway` is where the provider's book is read. */
export interface ReportingConfig extends BaseConfig {
  /** How long Notification keeps a message: an audit does not miss what is older. The same setting as Notification's. */
  readonly messagesKeptMs: number;
}

/** Reads the settings. Throws one error that lists every mistake. */
export function readReportingConfig(env: Env): ReportingConfig {
  const reader = new EnvReader(env);
  const config = {
    ...readBaseConfig(reader, "reporting"),
    messagesKeptMs: reader.keptMs("SETTLE_RETENTION_MESSAGES", KEPT_LONG_MS),
  };
  reader.finish();
  return config;
}
