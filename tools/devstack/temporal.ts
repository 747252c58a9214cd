import { type Child, type Guard, startChild } from "./child.ts";
import type { DataDir } from "./data-dir.ts";
import { gateServing } from "./gate.ts";

const READY_DEADLINE_MS = 60_000;
const FRONTEND = "temporal.api.workflowservice.v1.WorkflowService";

/** WAL keeps every acknowledged commit across kill -9; the default journal costs two fsyncs for each. */
const PRAGMAS = ["journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"];

/** Lifts the limits of a development server that throttle one machine's own load. */
const DYNAMIC_CONFIG = [
  "system.enableActivityEagerExecution=true",
  "matching.numTaskqueueReadPartitions=1",
  "matching.numTaskqueueWritePartitions=1",
  "matching.rps=100000",
  "history.rps=100000",
  "frontend.rps=100000",
  "frontend.namespaceRPS=100000",
  "history.hostLevelCacheMaxSize=128000",
  "system.forceSearchAttributesCacheRefreshOnRead=false",
];

/** A development server with its state in a file. */
export interface TemporalServer {
  readonly child: Child;
  readonly address: string;
}

export interface TemporalOptions {
  readonly binary: string;
  readonly port: number;
  /** Absent: no web UI. */
  readonly uiPort: number | undefined;
  readonly metricsPort: number;
  readonly dataDir: DataDir;
  /** Where the web UI has payloads decoded; absent: it shows them as they are stored. */
  readonly codecUrl: string | undefined;
  /** Runs as soon as the process exists. */
  readonly onStart: () => void;
}

/** Starts the Temporal development server and waits until its frontend serves. */
export async function startTemporal(
  options: TemporalOptions,
  guard: Guard,
): Promise<TemporalServer> {
  const { logs, run } = options.dataDir;
  const spec = {
    name: "temporal",
    file: options.binary,
    args: temporalArguments(options),
    // Fewer collections: the server's heap is small beside what it allocates per workflow.
    env: { GOGC: process.env["GOGC"] ?? "400" },
    logs,
    run,
  };
  const child = await startChild(spec, guard);
  options.onStart();
  try {
    const url = `http://127.0.0.1:${options.port}`;
    await gateServing(child, logs, READY_DEADLINE_MS, { url, service: FRONTEND });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { child, address: `127.0.0.1:${options.port}` };
}

function temporalArguments(options: TemporalOptions): string[] {
  const args = ["server", "start-dev", "--ip", "127.0.0.1", "--port", String(options.port)];
  if (options.uiPort === undefined) args.push("--headless");
  else args.push("--ui-port", String(options.uiPort), "--ui-ip", "127.0.0.1");
  if (options.codecUrl !== undefined) args.push("--ui-codec-endpoint", options.codecUrl);
  args.push("--metrics-port", String(options.metricsPort), "--log-level", "warn");
  args.push("--db-filename", options.dataDir.temporalDb);
  args.push(...PRAGMAS.flatMap((pragma) => ["--sqlite-pragma", pragma]));
  args.push(...DYNAMIC_CONFIG.flatMap((setting) => ["--dynamic-config-value", setting]));
  return args;
}
