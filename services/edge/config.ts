import { type BaseConfig, type Env, EnvReader, readBaseConfig } from "#kit/config.ts";
import { readSealer, type Sealer } from "#kit/seal.ts";

/** Settings of the edge. */
export interface EdgeConfig extends BaseConfig {
  /** Origins whose pages may call, besides those of this machine. `SETTLE_CORS_ORIGINS`, comma-separated; default none. */
  readonly origins: readonly string[];
  /** How long a peer's health is believed, in milliseconds. `SETTLE_EDGE_HEALTH_TTL`, default 1 s. */
  readonly healthTtlMs: number;
  /** Makes the secrets of API keys and seals the answers that show them. `SETTLE_SEALING_KEY`; must be set. */
  readonly sealer: Sealer;
}

/** Reads the settings. Throws one error that lists every mistake. */
export function readEdgeConfig(env: Env): EdgeConfig {
  const reader = new EnvReader(env);
  const config = {
    ...readBaseConfig(reader, "edge"),
    origins: reader.read("SETTLE_CORS_ORIGINS", [], readOrigins),
    healthTtlMs: reader.durationMs("SETTLE_EDGE_HEALTH_TTL", 1_000),
    sealer: readSealer(reader),
  };
  reader.finish();
  return config;
}

function readOrigins(text: string): readonly string[] {
  return text.split(",").map((part) => {
    const origin = part.trim();
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error("expected origins such as https://shop.example, separated by commas");
    }
    return origin;
  });
}
