import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { once } from "#kit/idempotency/request.ts";
import { type Loop, startLoop } from "#kit/loop.ts";
import { createMailer, type Mailer } from "#kit/mail.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { createLocalPeer } from "#kit/rpc/local.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import type { StartService } from "#kit/service.ts";
import { createSmsSender } from "#kit/sms.ts";
import { startWorker } from "#kit/temporal/worker.ts";
import { createNotificationActivities } from "./activities/index.ts";
import { createEmail, createEmbedded, createRouting, createSms } from "./application/channels.ts";
import { createFaulty, type Deliver } from "./application/deliver.ts";
import type { NotificationDeps, SenderDeps } from "./application/deps.ts";
import { sendDue } from "./application/send-due.ts";
import { startWebhooks } from "./application/webhooks/start.ts";
import type { NotificationConfig } from "./config.ts";
import { NOTIFICATION_TASK_QUEUE } from "./contract.ts";
import { notificationReasons } from "./reasons.ts";
import type { WebhookRpcDeps } from "./rpc/deps.ts";
import { notificationRoutes, webhookRoutes } from "./rpc/router.ts";
import { notificationMigrations } from "./store/migrations.ts";
import { createNotificationStore } from "./store/notification-store.ts";
import type { NotificationStore } from "./store/port.ts";
import { notificationRetention } from "./store/retention.ts";
import { createWebhookStore } from "./store/webhook-store.ts";

/** Starts Notification: its port, its sender, and a worker for its activities. */
export const startNotificationService: StartService<NotificationConfig> = async (
  config,
  platform,
) => {
  const log = platform.log.child({ service: "notification" });
  const db = await platform.database("notification");
  await migrate(db, notificationMigrations, notificationRetention(config));
  const { connection, dataConverter } = await platform.temporal();
  const store = createNotificationStore(db);
  const clock = (): Date => new Date();
  await using cleanup = new AsyncDisposableStack();

  const mailer =
    config.smtpUrl === "" ? undefined : await createMailer(config.smtpUrl, config.smtpFrom);
  cleanup.defer(() => mailer?.close());
  const deliver = createDeliver(config, store, mailer, clock);
  const { sender: policy } = config;
  const sender = startSender(
    { store, log, clock, deliver, policy, random: Math.random },
    config.senderIntervalMs,
  );
  cleanup.use(sender);
  const deps: NotificationDeps = { store, log, clock, wakeSender: () => sender.poke() };

  const { overlapMs, intervalMs, outbound, sealer, policy: webhookPolicy } = config.webhooks;
  const webhookStore = createWebhookStore(await platform.mongo(), db);
  const sending = { log, clock, outbound, sealer, policy: webhookPolicy, random: Math.random };
  const webhooks = startWebhooks({ webhooks: webhookStore, ...sending }, { overlapMs, intervalMs });
  cleanup.use(webhooks);
  const webhookDeps: WebhookRpcDeps = {
    ...webhooks.deps,
    once: (scope, claim, run) => once(db, scope, claim, run),
  };

  const routes = notificationRoutes(deps);
  const notification = createLocalPeer(NotificationService, routes, notificationReasons);
  const worker = await startWorker({
    connection,
    dataConverter,
    namespace: config.temporalNamespace,
    taskQueue: NOTIFICATION_TASK_QUEUE,
    activities: createNotificationActivities({ notification }),
    log,
  });
  cleanup.defer(() => worker.stop());
  const server = await startRpcServer({
    host: config.host,
    port: config.port,
    services: [NotificationService, WebhookService],
    routes: (router) => {
      routes(router);
      webhookRoutes(webhookDeps)(router);
    },
    reasons: notificationReasons,
    log,
    security: platform.security,
    ready: async () => {
      await db.command({ ping: 1 });
    },
  });
  cleanup.defer(() => server.close());

  // Taken down in reverse: port, worker, sender, mail connections; at once when the start fails half-way.
  const running = cleanup.move();
  return {
    name: "notification",
    address: server.address,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};

function createDeliver(
  config: NotificationConfig,
  store: NotificationStore,
  mailer: Mailer | undefined,
  clock: () => Date,
): Deliver {
  const embedded = createEmbedded(store, clock);
  const email = mailer === undefined ? embedded : createEmail(mailer.send);
  const sms =
    config.smsUrl === "" ? embedded : createSms(createSmsSender(config.smsUrl, config.smsToken));
  const routing = createRouting(email, sms);
  return config.fault.kind === "NONE" ? routing : createFaulty(routing, () => config.fault);
}

function startSender(deps: SenderDeps, intervalMs: number): Loop {
  return startLoop({
    name: "notification-sender",
    intervalMs,
    log: deps.log,
    async run(signal) {
      // A full round means that more are waiting.
      while (!signal.aborted && (await sendDue(deps, signal)) === deps.policy.batchMax);
    },
  });
}
