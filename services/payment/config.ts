import { type BaseConfig, type Env, EnvReader, KEPT_LONG_MS, readBaseConfig } from "#kit/config.ts";
import { RPC_LIMITS } from "#kit/rpc/limits.ts";
import { DEFAULT_POLICY, type PaymentPolicy } from "./domain/policy.ts";
import type { PaymentRetention } from "./domain/retention.ts";

/** Settings of the payment service. */
export interface PaymentConfig extends BaseConfig, PaymentRetention {
  readonly policy: PaymentPolicy;
  /**
   * Active secrets for each provider's callbacks, several while one is rotated: `SECRET` is the mock provider's,
   * `provider=SECRET` another's. Never has a default.
   */
  readonly gatewaySecrets: GatewaySecrets;
  /** Pause between two sweeps, in milliseconds. Default 5 s. */
  readonly sweepIntervalMs: number;
  /** How old an open payment is before the sweeper looks at it, in milliseconds. Default 10 s. */
  readonly sweepAfterMs: number;
  /** How long a Watch stream is silent before it shows a sign of life, in milliseconds. Default 15 s. */
  readonly watchHeartbeatMs: number;
  /** Longest stream, in milliseconds; then UNAVAILABLE, and the watcher resumes. Default 1 h, and never more. */
  readonly watchMaxMs: number;
}

/** By provider, as its callback path names it. No provider's secret opens another's path. */
export type GatewaySecrets = ReadonlyMap<string, readonly string[]>;

/** The provider of secrets that name none. */
const MOCK_PROVIDER = "mock";
const NO_SECRETS: GatewaySecrets = new Map();

/** Reads the settings; throws one error that lists every mistake. */
export function readPaymentConfig(env: Env): PaymentConfig {
  const reader = new EnvReader(env);
  const config: PaymentConfig = {
    ...readBaseConfig(reader, "payment"),
    policy: readPolicy(reader),
    gatewaySecrets: reader.readHidden("SETTLE_GATEWAY_SECRETS", NO_SECRETS, readSecrets),
    callbacksKeptMs: reader.keptMs("SETTLE_RETENTION_CALLBACKS", 90 * 86_400_000),
    tasksKeptMs: reader.keptMs("SETTLE_RETENTION_TASKS", KEPT_LONG_MS),
    sweepIntervalMs: reader.durationMs("SETTLE_SWEEP_INTERVAL", 5_000),
    sweepAfterMs: reader.durationMs("SETTLE_SWEEP_AFTER", 10_000),
    watchHeartbeatMs: reader.durationMs("SETTLE_WATCH_HEARTBEAT", 15_000),
    watchMaxMs: Math.min(
      reader.durationMs("SETTLE_WATCH_MAX", RPC_LIMITS.streamMs),
      RPC_LIMITS.streamMs,
    ),
  };
  reader.finish();
  const single = env["SETTLE_GATEWAY_SECRET"];
  const gatewaySecrets =
    config.gatewaySecrets.size > 0 || !single
      ? config.gatewaySecrets
      : new Map([[MOCK_PROVIDER, [single]]]);
  if (gatewaySecrets.size === 0) {
    throw new Error(
      "SETTLE_GATEWAY_SECRETS is not set: the comma-separated secrets callbacks are signed with (npm start makes one)",
    );
  }
  return { ...config, gatewaySecrets };
}

function readPolicy(reader: EnvReader): PaymentPolicy {
  const { steps } = DEFAULT_POLICY;
  return {
    steps: {
      mode: reader.oneOf("SETTLE_STEPS_MODE", steps.mode, ["local-first", "regular"]),
      localTimeoutMs: reader.durationMs("SETTLE_STEP_LOCAL_TIMEOUT", steps.localTimeoutMs),
      localAttemptsMax: reader.integer("SETTLE_STEP_LOCAL_ATTEMPTS", steps.localAttemptsMax, 1, 10),
      startToCloseMs: reader.durationMs("SETTLE_STEP_TIMEOUT", steps.startToCloseMs),
      backoffMaxMs: reader.durationMs("SETTLE_STEP_BACKOFF_MAX", steps.backoffMaxMs),
    },
    fraudMode: reader.oneOf("SETTLE_FRAUD_MODE", DEFAULT_POLICY.fraudMode, ["child", "inline"]),
    callbackTimeoutMs: reader.durationMs(
      "SETTLE_CALLBACK_TIMEOUT",
      DEFAULT_POLICY.callbackTimeoutMs,
    ),
    reviewTimeoutMs: reader.durationMs("SETTLE_REVIEW_TIMEOUT", DEFAULT_POLICY.reviewTimeoutMs),
    reviewExpiryMs: reader.durationMs("SETTLE_REVIEW_EXPIRY", DEFAULT_POLICY.reviewExpiryMs),
    captureExpiryMs: reader.durationMs("SETTLE_CAPTURE_EXPIRY", DEFAULT_POLICY.captureExpiryMs),
    decisionPollMs: reader.durationMs("SETTLE_DECISION_POLL", DEFAULT_POLICY.decisionPollMs),
    undoAttemptsBeforeTask: reader.integer(
      "SETTLE_UNDO_ATTEMPTS_BEFORE_TASK",
      DEFAULT_POLICY.undoAttemptsBeforeTask,
      1,
      1_000,
    ),
  };
}

function readSecrets(text: string): GatewaySecrets {
  const secrets = new Map<string, readonly string[]>();
  for (const entry of text.split(",")) {
    const named = /^([a-z0-9-]{1,32})=(.{16,})$/.exec(entry.trim());
    const [, provider = MOCK_PROVIDER, secret = entry.trim()] = named ?? [];
    if (secret.length < 16) {
      throw new Error(
        "expected secrets of at least 16 characters, separated by commas, each after `provider=` where it is not the mock provider's",
      );
    }
    secrets.set(provider, [...(secrets.get(provider) ?? []), secret]);
  }
  return secrets;
}
