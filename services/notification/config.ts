import { type BaseConfig, type Env, EnvReader, KEPT_LONG_MS, readBaseConfig } from "#kit/config.ts";
import type { OutboundPolicy } from "#kit/outbound.ts";
import { readSealer, type Sealer } from "#kit/seal.ts";
import type { Fault } from "./domain/fault.ts";
import type { NotificationRetention } from "./domain/retention.ts";
import type { SenderPolicy, WebhookPolicy } from "./domain/retry.ts";

/** How much longer than an attempt its delivery is leased, in milliseconds: the outcome has to be written, too. */
const LEASE_MARGIN_MS = 20_000;

/** Notification's configuration. */
export interface NotificationConfig extends BaseConfig, NotificationRetention {
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
  readonly webhooks: WebhookConfig;
}

/** How events are sent to endpoints. */
export interface WebhookConfig {
  /** Keeps the secrets that sign out of the database's clear text. `SETTLE_SEALING_KEY`; must be set. */
  readonly sealer: Sealer;
  readonly policy: WebhookPolicy;
  /** Which endpoints may be named and reached. Default: https on the public internet. */
  readonly outbound: OutboundPolicy;
  /** How long old secrets sign after a rotation that does not say, in milliseconds. Default 24 h. */
  readonly overlapMs: number;
  /** Pause between two looks for new events and for deliveries that are due, in milliseconds. Default 500 ms. */
  readonly intervalMs: number;
}

/** Reads Notification's configuration; reports every mistake at once. */
export function readNotificationConfig(env: Env): NotificationConfig {
  const reader = new EnvReader(env);
  const config: NotificationConfig = {
    ...readBaseConfig(reader, "notification"),
    messagesKeptMs: reader.keptMs("SETTLE_RETENTION_MESSAGES", KEPT_LONG_MS),
    inboxKeptMs: reader.keptMs("SETTLE_RETENTION_INBOX", 30 * 86_400_000),
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
    webhooks: readWebhookConfig(reader),
  };
  reader.finish();
  return config;
}

function readWebhookConfig(reader: EnvReader): WebhookConfig {
  const timeoutMs = reader.durationMs("SETTLE_WEBHOOK_TIMEOUT", 10_000);
  return {
    sealer: readSealer(reader),
    policy: {
      pauseMinMs: reader.durationMs("SETTLE_WEBHOOK_RETRY_MIN", 2_000),
      pauseMaxMs: reader.durationMs("SETTLE_WEBHOOK_RETRY_MAX", 3_600_000),
      giveUpMs: reader.durationMs("SETTLE_WEBHOOK_GIVE_UP", 259_200_000),
      timeoutMs,
      leaseMs: timeoutMs + LEASE_MARGIN_MS,
      concurrency: reader.integer("SETTLE_WEBHOOK_CONCURRENCY", 256, 1, 10_000),
      perEndpoint: reader.integer("SETTLE_WEBHOOK_PER_ENDPOINT", 8, 1, 1_000),
      keepMs: reader.durationMs("SETTLE_WEBHOOK_KEEP", 2_592_000_000),
    },
    outbound: {
      allowPrivate: reader.oneOf("SETTLE_WEBHOOK_ALLOW_PRIVATE", "0", ["0", "1"]) === "1",
      allowHttp: reader.oneOf("SETTLE_WEBHOOK_ALLOW_HTTP", "0", ["0", "1"]) === "1",
    },
    overlapMs: reader.durationMs("SETTLE_WEBHOOK_OVERLAP", 86_400_000),
    intervalMs: reader.durationMs("SETTLE_WEBHOOK_INTERVAL", 500),
  };
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
