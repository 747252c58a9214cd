import { type BaseConfig, type Env, EnvReader, readBaseConfig } from "#kit/config.ts";
import { isCurrency } from "#kit/pure/currency.ts";
import { INT64_MAX } from "#kit/pure/money.ts";
import { type Limits, NO_RULES, type Settings } from "./domain/settings.ts";

/** Fraud's configuration. */
export interface FraudConfig extends BaseConfig {
  /**
   * Rules of every tenant that has not replaced them by UpdateSettings. Default: no limit, nobody denied, no delay.
   * Limits are written `USD:100000,EUR:90000`, in minor units.
   */
  readonly rules: Settings;
}

/** Reads Fraud's configuration; reports every mistake at once. */
export function readFraudConfig(env: Env): FraudConfig {
  const reader = new EnvReader(env);
  const limits = (name: string): Limits => reader.read<Limits>(name, new Map(), parseLimits);
  const config: FraudConfig = {
    ...readBaseConfig(reader, "fraud"),
    rules: {
      ...NO_RULES,
      amountLimits: limits("SETTLE_FRAUD_AMOUNT_LIMITS"),
      reviewLimits: limits("SETTLE_FRAUD_REVIEW_LIMITS"),
      cumulativeLimits: limits("SETTLE_FRAUD_CUMULATIVE_LIMITS"),
      deniedAccountIds: new Set(
        reader
          .text("SETTLE_FRAUD_DENIED_ACCOUNTS", "")
          .split(",")
          .filter((id) => id !== ""),
      ),
      mockDelayMs: Math.min(reader.durationMs("SETTLE_FRAUD_MOCK_DELAY", 0), 60_000),
    },
  };
  reader.finish();
  return config;
}

function parseLimits(text: string): Limits {
  return new Map(
    text.split(",").map((entry) => {
      const [currencyCode = "", limit = ""] = entry.split(":");
      const valid = isCurrency(currencyCode) && /^\d{1,19}$/.test(limit);
      if (!valid || BigInt(limit) > INT64_MAX) {
        throw new Error("expected limits in minor units such as USD:100000,EUR:90000");
      }
      return [currencyCode, BigInt(limit)];
    }),
  );
}
