import { type BaseConfig, type Env, EnvReader, readBaseConfig } from "#kit/config.ts";
import type { Fault } from "./domain/fault.ts";
import type { SenderPolicy } from "./domain/retry.ts";

/** Notification's configuration. */
export interface NotificationConfig extends BaseConfig {
  /** `smtp://user:password@host:587`; empty means the embedded inbox. */
  readonly smtpUrl: string;
  /** Sender of every mail. Default `Settle <no-reply@settle.test>`. */
  readonly smtpFrom: string;
  /** URL the SMS provider takes `POST`s at; empty means the embedded inbox. */
  readonly smsUrl: string;
  /** Sent to the SMS provider as Bearer; empty means none. */
  readonly smsToken: string;
  /** How deliveries fail on purpose, for tests: `none`, `fail:N`, `apply-then-fail:N`, `refuse`. Default none. */
  readonly fault: Fault;
  readonly sender: SenderPolicy;
  /** Pause between two looks for messages that are due, in milliseconds; a new message is seen at once. Default 1 s. */
  readonly senderIntervalMs: number;
}

/** Reads Notification's configuration; reports every mistake at once. */
export function readNotificationConfig(env: Env): NotificationConfig {
  const reader = new EnvReader(env);
  const config: NotificationConfig = {
    ...readBaseConfig(reader, "notification"),
    smtpUrl: reader.read("SETTLE_SMTP_URL", "", (text) => parseUrl(text, ["smtp:", "smtps:"])),
    smtpFrom: reader.text("SETTLE_SMTP_FROM", "Settle <no-reply@settle.test>"),
    smsUrl: reader.read("SETTLE_SMS_URL", "", (text) => parseUrl(text, ["http:", "https:"])),
    smsToken: reader.text("SETTLE_SMS_TOKEN", ""),
    fault: reader.read<Fault>("SETTLE_NOTIFICATION_FAULT", { kind: "NONE" }, parseFault),
    sender: {
      pauseMinMs: reader.durationMs("SETTLE_NOTIFICATION_RETRY_MIN", 1_000),
      pauseMaxMs: reader.durationMs("SETTLE_NOTIFICATION_RETRY_MAX", 300_000),
      giveUpMs: reader.durationMs("SETTLE_NOTIFICATION_GIVE_UP", 259_200_000),
      leaseMs: 30_000,
      deliveryTimeoutMs: 20_000,
      batchMax: 16,
    },
    senderIntervalMs: reader.durationMs("SETTLE_NOTIFICATION_INTERVAL", 1_000),
  };
  reader.finish();
  return config;
}

function parseUrl(text: string, protocols: readonly string[]): string {
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw new Error(`expected a URL that begins with ${protocols.join("// or ")}//`);
  }
  return text;
}

function parseFault(text: string): Fault {
  const [name, count = ""] = text.split(":");
  if (name === "none") return { kind: "NONE" };
  if (name === "refuse") return { kind: "REFUSE" };
  if (/^\d{1,9}$/.test(count)) {
    if (name === "fail") return { kind: "FAIL", attempts: Number(count) };
    if (name === "apply-then-fail") return { kind: "APPLY_THEN_FAIL", attempts: Number(count) };
  }
  throw new Error("expected none, fail:N, apply-then-fail:N or refuse");
}
