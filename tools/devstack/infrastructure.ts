import type { Progress } from "../provision/progress.ts";
import type { ProvisionDeps } from "../provision/provision.ts";
import { type Binaries, findBinaries } from "./binaries.ts";
import { type Child, type Guard, startGuard } from "./child.ts";
import { type DataDir, openDataDir } from "./data-dir.ts";
import { startMongod } from "./mongod.ts";
import { freePort } from "./ports.ts";
import { startTemporal } from "./temporal.ts";

/** Where mongod and Temporal are, and how they end. */
export interface Infrastructure extends AsyncDisposable {
  readonly mongodbUri: string;
  /** `host:port`. */
  readonly temporalAddress: string;
  /** `host:port` of the web UI; absent when it is off or Temporal is external. */
  readonly temporalUi: string | undefined;
  readonly dataDir: DataDir;
  readonly guard: Guard;
  /** The programs that were started here; none for external ones. */
  readonly children: readonly Child[];
  /** Ends them at once, without their farewell. */
  kill(): void;
  /** Ends both side by side, neither keeps anything in the other; then the data directory is free. */
  stop(): Promise<void>;
}

export interface InfrastructureOptions {
  readonly dataDir: DataDir;
  /** 0 or absent takes a free port. */
  readonly ports?: {
    readonly mongod?: number;
    readonly temporal?: number;
    readonly temporalUi?: number;
  };
  /** Whether the web UI runs. Default true. */
  readonly ui?: boolean;
  /** Where the web UI has payloads decoded. */
  readonly codecUrl?: string;
  readonly binaries: Binaries;
  readonly deps: ProvisionDeps;
  /** Runs once when all programs have been started and none is ready: the time to do something else. */
  readonly onStarted?: () => void;
}

/**
 * Brings up mongod and Temporal side by side, or takes those that MONGODB_URI and TEMPORAL_ADDRESS name.
 * Either both are ready when it returns, or nothing of them is left.
 */
export async function startInfrastructure(options: InfrastructureOptions): Promise<Infrastructure> {
  const { dataDir } = options;
  const guard = startGuard();
  let waiting = 2;
  const onStart = (): void => {
    waiting -= 1;
    if (waiting === 0) options.onStarted?.();
  };
  const results = await Promise.allSettled([
    mongodPart(options, guard, onStart),
    temporalPart(options, guard, onStart),
  ]);
  const started = results.flatMap((result) =>
    result.status === "fulfilled" ? [result.value.child] : [],
  );
  const children = started.filter((child) => child !== undefined);
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    guard.close();
    await dataDir.release();
  };
  const [mongod, temporal] = results;
  if (mongod.status === "rejected" || temporal.status === "rejected") {
    await stop();
    const failures = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason] : [],
    );
    throw failures.length === 1 ? failures[0] : new Error(failures.map(messageOf).join("\n\n"));
  }
  return {
    mongodbUri: mongod.value.uri,
    temporalAddress: temporal.value.address,
    temporalUi: temporal.value.ui,
    dataDir,
    guard,
    children,
    kill: () => {
      for (const child of children) child.kill();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** `startInfrastructure` in a directory of its own, on free ports, without web UI: for tests. */
export async function startPrivateInfrastructure(
  directory: string,
  deps: ProvisionDeps,
): Promise<Infrastructure> {
  const binaries = await findBinaries(deps);
  return await startInfrastructure({
    dataDir: await openDataDir(directory),
    ui: false,
    binaries,
    deps,
  });
}

async function mongodPart(
  options: InfrastructureOptions,
  guard: Guard,
  onStart: () => void,
): Promise<{ uri: string; child: Child | undefined }> {
  const { deps, dataDir } = options;
  const { mongod } = options.binaries;
  if (mongod === undefined) {
    onStart();
    return { uri: deps.env["MONGODB_URI"] ?? "", child: undefined };
  }
  return await timed(deps.progress, "mongod", async () => {
    const port = options.ports?.mongod || (await freePort());
    const { path: binary, version } = mongod;
    return await startMongod({ binary, version, port, dataDir, onStart }, guard);
  });
}

async function temporalPart(
  options: InfrastructureOptions,
  guard: Guard,
  onStart: () => void,
): Promise<{ address: string; ui: string | undefined; child: Child | undefined }> {
  const { deps, dataDir } = options;
  const binary = options.binaries.temporal;
  if (binary === undefined) {
    onStart();
    return { address: deps.env["TEMPORAL_ADDRESS"] ?? "", ui: undefined, child: undefined };
  }
  return await timed(deps.progress, "Temporal", async () => {
    const port = options.ports?.temporal || (await freePort());
    const uiPort =
      options.ui === false ? undefined : options.ports?.temporalUi || (await freePort());
    const metricsPort = await freePort();
    const server = await startTemporal(
      { binary, port, uiPort, metricsPort, dataDir, onStart, codecUrl: options.codecUrl },
      guard,
    );
    return { ...server, ui: uiPort === undefined ? undefined : `127.0.0.1:${uiPort}` };
  });
}

/** Says something when the start takes long, and nothing when it does not. */
async function timed<T>(progress: Progress, name: string, start: () => Promise<T>): Promise<T> {
  const task = progress.task(name);
  task.note("starting");
  try {
    const result = await start();
    task.end(`  ${name} is ready`);
    return result;
  } catch (error) {
    task.end(`  ${name} did not start`);
    throw error;
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
