import { type BaseConfig, type Env, EnvReader, readBaseConfig } from "#kit/config.ts";
import { CALLBACK_PATH } from "./contract.ts";
import { BEHAVIOURS, type Behaviour, type Delays } from "./domain/behaviour.ts";

/** Settings of the gateway. */
export interface GatewayConfig extends BaseConfig, Delays {
  /** What the mock does when a request does not choose. Default OK. */
  readonly behaviour: Behaviour;
  /** How many attempts fail under FLAKY when the request does not choose. Default 3. */
  readonly flakyAttempts: number;
  /** Where callbacks are posted to. Default the payment service's callback path. */
  readonly callbackUrl: string;
  /** How long callbacks that were sent or given up are kept, and counts of flaky attempts, in milliseconds. Default 90 days. */
  readonly callbacksKeptMs: number;
  /** Signs callbacks; the merchant verifies with the same. No default. */
  readonly secret: string;
}

/** Reads the gateway's settings; throws one error that names every mistake. */
export function readGatewayConfig(env: Env): GatewayConfig {
  const reader = new EnvReader(env);
  const base = readBaseConfig(reader, "gateway");
  const config: GatewayConfig = {
    ...base,
    behaviour: reader.oneOf("SETTLE_GATEWAY_BEHAVIOUR", "OK", BEHAVIOURS),
    flakyAttempts: reader.integer("SETTLE_GATEWAY_FLAKY_ATTEMPTS", 3, 0, 1_000),
    callbackUrl: reader.read(
      "SETTLE_GATEWAY_CALLBACK_URL",
      `${base.peers.payment}${CALLBACK_PATH}`,
      parseHttpUrl,
    ),
    callbackDelayMs: reader.durationMs("SETTLE_GATEWAY_CALLBACK_DELAY", 1_000),
    // A minute after the payment's own deadline of five.
    lateCallbackDelayMs: reader.durationMs("SETTLE_GATEWAY_LATE_CALLBACK_DELAY", 360_000),
    callbacksKeptMs: reader.keptMs("SETTLE_RETENTION_GATEWAY", 90 * 86_400_000),
    secret: reader.secret("SETTLE_GATEWAY_SECRET"),
  };
  reader.finish();
  return config;
}

function parseHttpUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new Error("expected an http:// or https:// address");
  }
  return text;
}
