import { type BaseConfig, type Env, EnvReader, readBaseConfig } from "#kit/config.ts";

/** Settings of Reporting: the base ones only; `peers.gateway` is where the provider's book is read. */
export type ReportingConfig = BaseConfig;

/** Reads the settings. Throws one error that lists every mistake. */
export function readReportingConfig(env: Env): ReportingConfig {
  const reader = new EnvReader(env);
  const config = readBaseConfig(reader, "reporting");
  reader.finish();
  return config;
}
