import type { Client } from "@connectrpc/connect";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { once } from "#kit/idempotency/request.ts";
import { startLoop } from "#kit/loop.ts";
import { createMetrics, type Metrics } from "#kit/metrics.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import type { Platform } from "#kit/platform.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import type { StartService } from "#kit/service.ts";
import { type RunningWorker, startWorker } from "#kit/temporal/worker.ts";
import { createWorkflowClient } from "#kit/temporal/workflow-client.ts";
import { createAccountActivities } from "#services/account/activities/index.ts";
import { createFraudActivities } from "#services/fraud/activities/index.ts";
import { createNotificationActivities } from "#services/notification/activities/index.ts";
import { createPaymentActivities } from "./activities/index.ts";
import { grpcPeers } from "./activities/peers.ts";
import { paymentBook } from "./application/book.ts";
import { providerNews } from "./application/provider-news.ts";
import { sweep } from "./application/sweep.ts";
import { temporalWorkflows } from "./application/temporal.ts";
import type { PaymentConfig } from "./config.ts";
import { PAYMENT_TASK_QUEUE } from "./contract.ts";
import { paymentReasons } from "./reasons.ts";
import { callbackEndpoint } from "./rpc/callback.ts";
import type { PaymentRpcDeps } from "./rpc/deps.ts";
import { paymentRoutes } from "./rpc/router.ts";
import { PaymentFeed } from "./store/feed.ts";
import { paymentMigrations } from "./store/migrations.ts";
import { createPaymentStore } from "./store/payment-store.ts";
import { paymentRetention } from "./store/retention.ts";

/** Starts the Payment service: migrations, worker, port, sweeper, in this order, and ends them in reverse. */
export const startPaymentService: StartService<PaymentConfig> = async (config, platform) => {
  const log = platform.log.child({ service: "payment" });
  const db = await platform.database("payment");
  await migrate(db, paymentMigrations, paymentRetention(config));
  const { client } = await platform.temporal();
  const account = createPeer(AccountService, config.peers.account, platform.security.identity);
  const notification = createPeer(
    NotificationService,
    config.peers.notification,
    platform.security.identity,
  );
  const deps: PaymentRpcDeps = {
    store: createPaymentStore(db),
    feed: new PaymentFeed(db, log),
    workflows: temporalWorkflows(createWorkflowClient(client), config.policy),
    peers: grpcPeers({ account, notification }),
    once: (scope, claim, run) => once(db, scope, { ...claim, reasons: paymentReasons }, run),
    policy: config.policy,
    gatewaySecrets: config.gatewaySecrets,
    sweepAfterMs: config.sweepAfterMs,
    watchHeartbeatMs: config.watchHeartbeatMs,
    log,
  };
  const metrics = createMetrics();
  let openTasks: ReadonlyMap<string, number> = new Map();
  metrics.gauges("settle_tasks_open", "Tasks that wait for a person.", "kind", () => openTasks);
  // The worker first: a payment that is created as soon as the port is open finds a slot for its eager start.
  const worker = await startPaymentWorker(config, platform, {
    deps,
    account,
    notification,
    metrics,
  });
  const server = await startRpcServer({
    host: config.host,
    port: config.port,
    services: [PaymentService],
    routes: paymentRoutes(deps),
    reasons: paymentReasons,
    log,
    security: platform.security,
    metrics,
    http: callbackEndpoint(deps),
    limits: { streamMs: config.watchMaxMs },
    ready: async () => {
      await db.command({ ping: 1 });
    },
  });
  const sweeper = startLoop({
    name: "sweep",
    intervalMs: config.sweepIntervalMs,
    log,
    run: async (signal) => {
      const report = await sweep(deps, { everything: false, signal });
      if (report.errors.length > 0)
        log.warn({ errors: report.errors }, "sweep could not do everything");
      openTasks = await deps.store.countOpenTasks();
    },
  });
  return {
    name: "payment",
    address: server.address,
    async [Symbol.asyncDispose]() {
      await sweeper.stop();
      await server.close();
      await worker.stop();
      await deps.feed[Symbol.asyncDispose]();
    },
  };
};

interface WorkerDeps {
  readonly metrics: Metrics;
  readonly deps: PaymentRpcDeps;
  readonly account: Client<typeof AccountService>;
  readonly notification: Client<typeof NotificationService>;
}

/** Runs the sagas, with the peers' activities beside them: that is how a step runs near its saga. */
async function startPaymentWorker(
  config: PaymentConfig,
  platform: Platform,
  { deps, account, notification, metrics }: WorkerDeps,
): Promise<RunningWorker> {
  const { connection, dataConverter } = await platform.temporal();
  return startWorker({
    connection,
    dataConverter,
    namespace: config.temporalNamespace,
    taskQueue: PAYMENT_TASK_QUEUE,
    workflowsUrl: new URL("./workflows/index.ts", import.meta.url).href,
    activities: {
      ...createAccountActivities({ account }),
      ...createFraudActivities({
        fraud: createPeer(FraudService, config.peers.fraud, platform.security.identity),
      }),
      ...createNotificationActivities({ notification }),
      ...createPaymentActivities({
        account,
        gateway: createPeer(GatewayService, config.peers.gateway, platform.security.identity),
        book: paymentBook(deps, providerNews(deps)),
      }),
    },
    log: deps.log,
    metrics,
  });
}
