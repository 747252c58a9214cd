import type { Client } from "@connectrpc/connect";
import { MongoClient } from "mongodb";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import type { Env, ServiceName } from "#kit/config.ts";
import { createPlatform, type Platform } from "#kit/platform.ts";
import { createPeer } from "#kit/rpc/client.ts";
import type { RunningService } from "#kit/service.ts";
import { readAccountConfig } from "#services/account/config.ts";
import { startAccountService } from "#services/account/service.ts";
import { readEdgeConfig } from "#services/edge/config.ts";
import { startEdgeService } from "#services/edge/service.ts";
import { readFraudConfig } from "#services/fraud/config.ts";
import { startFraudService } from "#services/fraud/service.ts";
import { readGatewayConfig } from "#services/gateway/config.ts";
import { startGatewayService } from "#services/gateway/service.ts";
import { readNotificationConfig } from "#services/notification/config.ts";
import { startNotificationService } from "#services/notification/service.ts";
import { readPaymentConfig } from "#services/payment/config.ts";
import { startPaymentService } from "#services/payment/service.ts";
import { readReportingConfig } from "#services/reporting/config.ts";
import { startReportingService } from "#services/reporting/service.ts";
import { freshPrefix, mongoUri, temporalAddress } from "./env.ts";
import { freePorts } from "./free-ports.ts";
import { createNamespace } from "./namespace.ts";

/** Secret that this run's gateway signs with and payment verifies by. */
export const GATEWAY_SECRET = "test-secret-of-at-least-16-characters";

/** Key that secrets of a run rest sealed by. */
export const SEALING_KEY = "sealing-key-of-the-tests-of-at-least-32-characters";

/** Key that what Temporal stores is encrypted by. */
export const PAYLOAD_KEY = "payload-key-of-the-tests-of-at-least-32-characters";

const SERVICES = [
  "account",
  "fraud",
  "notification",
  "gateway",
  "payment",
  "reporting",
  "edge",
] as const;

/** All services of Settle in this process, on free ports, with a database and a namespace of their own. */
export interface Stack extends AsyncDisposable {
  readonly env: Env;
  /** `host:port` of each service. */
  readonly addresses: Readonly<Record<ServiceName, string>>;
  readonly namespace: string;
  readonly platform: Platform;
  readonly account: Client<typeof AccountService>;
  readonly fraud: Client<typeof FraudService>;
  readonly notification: Client<typeof NotificationService>;
  readonly webhooks: Client<typeof WebhookService>;
  readonly payment: Client<typeof PaymentService>;
  readonly gateway: Client<typeof GatewayService>;
  readonly reporting: Client<typeof ReportingService>;
  readonly keys: Client<typeof KeyService>;
  /** Ends one service, as a crash of it would look to the others. */
  stop(name: ServiceName): Promise<void>;
  /** Starts a service again on its old port, with further environment if given. */
  start(name: ServiceName, env?: Env): Promise<void>;
}

/** Starts a stack. `env` adds to or overrides the environment the services read. */
export async function startStack(env: Env = {}): Promise<Stack> {
  const ports = await freePorts(SERVICES.length);
  // Another server than the run's has a namespace already, and none of the run's.
  const namespace = env["TEMPORAL_NAMESPACE"] ?? (await createNamespace());
  const prefix = freshPrefix();
  const portOf = (name: ServiceName): number => ports[SERVICES.indexOf(name)] ?? 0;
  const complete = { ...baseEnv(portOf, namespace, prefix), ...env };
  const platform = createPlatform(readAccountConfig(complete));
  const running = new Map<ServiceName, RunningService>();
  const start = async (name: ServiceName, extra: Env = {}): Promise<void> => {
    running.set(name, await startService(name, { ...complete, ...extra }, platform));
  };
  const stop = async (name: ServiceName): Promise<void> => {
    await running.get(name)?.[Symbol.asyncDispose]();
    running.delete(name);
  };
  await Promise.all(SERVICES.map((name) => start(name)));
  const url = (name: ServiceName): string => `http://127.0.0.1:${portOf(name)}`;
  return {
    env: complete,
    namespace,
    platform,
    addresses: {
      account: `127.0.0.1:${portOf("account")}`,
      fraud: `127.0.0.1:${portOf("fraud")}`,
      notification: `127.0.0.1:${portOf("notification")}`,
      payment: `127.0.0.1:${portOf("payment")}`,
      gateway: `127.0.0.1:${portOf("gateway")}`,
      reporting: `127.0.0.1:${portOf("reporting")}`,
      edge: `127.0.0.1:${portOf("edge")}`,
    },
    account: createPeer(AccountService, url("account")),
    fraud: createPeer(FraudService, url("fraud")),
    notification: createPeer(NotificationService, url("notification")),
    webhooks: createPeer(WebhookService, url("notification")),
    payment: createPeer(PaymentService, url("payment")),
    gateway: createPeer(GatewayService, url("gateway")),
    reporting: createPeer(ReportingService, url("reporting")),
    keys: createPeer(KeyService, url("edge")),
    start,
    stop,
    async [Symbol.asyncDispose]() {
      for (const name of SERVICES.toReversed()) await stop(name);
      await platform[Symbol.asyncDispose]();
      await dropDatabases(prefix);
    },
  };
}

function baseEnv(portOf: (name: ServiceName) => number, namespace: string, prefix: string): Env {
  const placed = SERVICES.flatMap((name) => [
    [`SETTLE_PORT_${name.toUpperCase()}`, String(portOf(name))],
    [`SETTLE_URL_${name.toUpperCase()}`, `http://127.0.0.1:${portOf(name)}`],
  ]);
  return {
    ...Object.fromEntries(placed),
    MONGODB_URI: mongoUri(),
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: namespace,
    SETTLE_DATABASE_PREFIX: prefix,
    SETTLE_GATEWAY_SECRET: GATEWAY_SECRET,
    SETTLE_SEALING_KEY: SEALING_KEY,
    SETTLE_PAYLOAD_KEYS: PAYLOAD_KEY,
    SETTLE_LOG_LEVEL: "silent",
    SETTLE_SEED_DEMO: "1",
  };
}

function startService(name: ServiceName, env: Env, platform: Platform): Promise<RunningService> {
  switch (name) {
    case "account":
      return startAccountService(readAccountConfig(env), platform);
    case "fraud":
      return startFraudService(readFraudConfig(env), platform);
    case "notification":
      return startNotificationService(readNotificationConfig(env), platform);
    case "gateway":
      return startGatewayService(readGatewayConfig(env), platform);
    case "payment":
      return startPaymentService(readPaymentConfig(env), platform);
    case "reporting":
      return startReportingService(readReportingConfig(env), platform);
    case "edge":
      return startEdgeService(readEdgeConfig(env), platform);
  }
}

/** Drops every database whose name begins with the prefix. */
export async function dropDatabases(prefix: string): Promise<void> {
  const client = await MongoClient.connect(mongoUri());
  try {
    const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
    const ours = databases.filter(({ name }) => name.startsWith(`${prefix}_`));
    await Promise.all(ours.map(({ name }) => client.db(name).dropDatabase()));
  } finally {
    await client.close();
  }
}
