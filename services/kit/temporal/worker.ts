import type { Context } from "@temporalio/activity";
import type { DataConverter } from "@temporalio/common";
import {
  type ActivityInboundCallsInterceptor,
  type InjectedSinks,
  type NativeConnection,
  Worker,
  type WorkerOptions,
} from "@temporalio/worker";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { WorkflowSinks } from "../workflow/interceptors.ts";
import { workflowBundle } from "./bundle.ts";

/** What a service's worker runs. */
export interface WorkerSetup {
  readonly connection: NativeConnection;
  /** As the clients have it; see `connectTemporal`. */
  readonly dataConverter: DataConverter;
  readonly namespace: string;
  readonly taskQueue: string;
  /** URL of `workflows/index.ts`, for services that have workflows. */
  readonly workflowsUrl?: string;
  readonly activities?: object;
  readonly log: Log;
  /** Counts messages to workflows that could not be decoded; for services that have workflows. */
  readonly metrics?: Metrics;
  /** Workflow tasks at once. A task holds its slot for the whole time of its local activities. Default 100. */
  readonly workflowTasksMax?: number;
  /** How long running activities may take to end on shutdown, in milliseconds. Default 5 s. */
  readonly graceMs?: number;
}

/** A running worker. */
export interface RunningWorker {
  /** Stops polling, lets running activities end within the grace time, and returns. */
  stop(): Promise<void>;
}

/** Starts a worker. A worker that fails later is logged as fatal and ends the process: its supervisor restarts it. */
export async function startWorker(setup: WorkerSetup): Promise<RunningWorker> {
  const worker = await Worker.create(await workerOptions(setup));
  const run = worker.run().catch((error: unknown) => {
    setup.log.fatal({ err: error, taskQueue: setup.taskQueue }, "worker failed");
    process.exitCode = 1;
    process.kill(process.pid, "SIGTERM");
  });
  return {
    async stop() {
      if (worker.getState() === "RUNNING") worker.shutdown();
      await run;
    },
  };
}

async function workerOptions(setup: WorkerSetup): Promise<WorkerOptions> {
  const tasks = setup.workflowTasksMax ?? 100;
  return {
    connection: setup.connection,
    dataConverter: setup.dataConverter,
    namespace: setup.namespace,
    taskQueue: setup.taskQueue,
    shutdownGraceTime: setup.graceMs ?? 5_000,
    ...(setup.activities ? { activities: setup.activities } : {}),
    interceptors: { activity: [(context) => ({ inbound: alarmOf(setup.log, context) })] },
    ...(setup.workflowsUrl
      ? {
          workflowBundle: await workflowBundle(setup.workflowsUrl),
          maxConcurrentWorkflowTaskExecutions: tasks,
          maxConcurrentLocalActivityExecutions: tasks * 2,
          maxCachedWorkflows: 2_000,
          workflowThreadPoolSize: 1,
          sinks: countDropped(setup.metrics),
        }
      : {}),
  };
}

function countDropped(metrics: Metrics | undefined): InjectedSinks<WorkflowSinks> {
  const dropped = metrics?.counter(
    "settle_workflow_messages_dropped_total",
    "Signals, updates and queries that could not be decoded.",
    "kind",
  );
  return { messages: { dropped: { fn: (_, kind) => dropped?.(kind), callDuringReplay: false } } };
}

/** Tries after which a repeated step is worth a line: the first may be a blip, and later ones come ever more rarely. */
const ALARM_TRIES = [4, 16, 64];

/** A line in the log when a step has failed for a while: its outcome is unknown, and it goes on being repeated. */
function alarmOf(log: Log, { info }: Context): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        if (ALARM_TRIES.includes(info.attempt) || info.attempt % 256 === 0) {
          const { activityType: activity, attempt } = info;
          const workflowId = info.workflowExecution?.workflowId;
          log.error({ err: error, activity, attempt, workflowId }, "a step keeps failing");
        }
        throw error;
      }
    },
  };
}
