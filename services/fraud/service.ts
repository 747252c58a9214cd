import type { Client as TemporalClient } from "@temporalio/client";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { once, requestsRetention } from "#kit/idempotency/request.ts";
import type { Log } from "#kit/log.ts";
import { createMetrics } from "#kit/metrics.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { createLocalPeer } from "#kit/rpc/local.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import type { StartService } from "#kit/service.ts";
import { startWorker } from "#kit/temporal/worker.ts";
import { createFraudActivities } from "./activities/index.ts";
import type { DecisionSignal, FraudDeps } from "./application/deps.ts";
import { createEvaluate } from "./application/evaluate.ts";
import type { FraudConfig } from "./config.ts";
import { FRAUD_TASK_QUEUE, fraudCheckSignal, fraudCheckWorkflowId } from "./contract.ts";
import { fraudReasons } from "./reasons.ts";
import { fraudRoutes } from "./rpc/router.ts";
import { createFraudStore } from "./store/fraud-store.ts";
import { fraudMigrations } from "./store/migrations.ts";

/** How long the signal of a decision may take, in milliseconds; the workflow also asks by itself. */
const SIGNAL_TIMEOUT_MS = 2_000;

/** Starts Fraud: its port, and a worker for `FraudCheckWorkflow` and Fraud's activities. */
export const startFraudService: StartService<FraudConfig> = async (config, platform) => {
  const log = platform.log.child({ service: "fraud" });
  const db = await platform.database("fraud");
  await migrate(db, fraudMigrations, [requestsRetention(config.requestsKeptMs)]);
  const { client, connection, dataConverter } = await platform.temporal();
  const deps: FraudDeps = {
    store: createFraudStore(await platform.mongo(), db, config.rules),
    signalDecision: decisionSignal(client, log),
    log,
    clock: () => new Date(),
  };
  const routes = fraudRoutes({
    ...deps,
    evaluate: createEvaluate(deps),
    once: (scope, claim, run) => once(db, scope, claim, run),
  });
  const fraud = createLocalPeer(FraudService, routes, fraudReasons);
  const metrics = createMetrics();
  const worker = await startWorker({
    connection,
    dataConverter,
    namespace: config.temporalNamespace,
    taskQueue: FRAUD_TASK_QUEUE,
    workflowsUrl: new URL("./workflows/index.ts", import.meta.url).href,
    activities: createFraudActivities({ fraud }),
    log,
    metrics,
  });
  const server = await startRpcServer({
    host: config.host,
    port: config.port,
    services: [FraudService],
    routes,
    reasons: fraudReasons,
    log,
    security: platform.security,
    metrics,
    ready: async () => {
      await db.command({ ping: 1 });
    },
  }).catch(async (error: unknown) => {
    await worker.stop();
    throw error;
  });
  return {
    name: "fraud",
    address: server.address,
    async [Symbol.asyncDispose]() {
      await server.close();
      await worker.stop();
    },
  };
};

function decisionSignal(client: TemporalClient, log: Log): DecisionSignal {
  return async (paymentId, isValid) => {
    const workflowId = fraudCheckWorkflowId(paymentId);
    try {
      await client.withDeadline(Date.now() + SIGNAL_TIMEOUT_MS, () =>
        client.workflow.getHandle(workflowId).signal(fraudCheckSignal, { isValid }),
      );
    } catch (error) {
      log.warn({ err: error, workflowId }, "decision stored, its signal did not arrive");
    }
  };
}
