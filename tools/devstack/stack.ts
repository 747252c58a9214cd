import { rm } from "node:fs/promises";
import path from "node:path";
import type { Env, ServiceName } from "#kit/config.ts";
import type { ProvisionDeps } from "../provision/provision.ts";
import type { Binaries } from "./binaries.ts";
import { lastLogLines } from "./child.ts";
import { type DataDir, writeAtomically } from "./data-dir.ts";
import { type Infrastructure, startInfrastructure } from "./infrastructure.ts";
import { planPorts, portVariables } from "./port-plan.ts";
import type { Reach } from "./reach.ts";
import type { ServiceGroup } from "./service-group.ts";
import { type LoadedService, loadServices, SERVICE_NAMES } from "./services.ts";

/** Temporal, mongod and all services, running. */
export interface Stack {
  /** `host:port` of every service, of Temporal, its UI, and mongod. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Base URL of a service. */
  url(name: ServiceName): string;
  readonly reach: Reach;
  readonly temporalUi: string | undefined;
  /** Where everything is stored, as a path that can be typed from here. */
  readonly dataDir: string;
  /** Settles with a sentence and log lines when anything ended by itself. */
  readonly failed: Promise<string>;
  /** Services, then Temporal, then mongod; then the data directory is free. */
  stop(): Promise<void>;
  kill(): void;
}

export interface StackOptions {
  readonly dataDir: DataDir;
  readonly portBase: number | undefined;
  readonly binaries: Binaries;
  /** One process per service instead of one for all. */
  readonly split: boolean;
  /** With the secrets that `secretVariables` adds. */
  readonly env: Env;
  readonly reach: Reach;
  readonly deps: ProvisionDeps;
}

/** Brings everything up and writes `ports.json`. When a part fails, what was up is stopped again. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDir, env, deps, reach } = options;
  // A start that was killed left its own behind.
  await rm(dataDir.portsFile, { force: true });
  const plan = { portBase: options.portBase, services: SERVICE_NAMES, env };
  const ports = await planPorts(plan, ({ name, port }, moved) => {
    deps.progress.line(`  port ${port} is taken by another program; ${name} uses ${moved}`);
  });
  // Loading the services takes about as long as the two servers take to get ready: both go on at once.
  let loaded: Promise<ReadonlyMap<ServiceName, LoadedService>> | undefined;
  const onStarted = (): void => {
    if (!options.split) loaded = loadServices();
    loaded?.catch(() => undefined);
  };
  const { binaries } = options;
  // The web UI calls from the browser; where keys are asked for, it has to be given one there.
  const codecUrl = `${reach.scheme}://${reach.host}:${ports.services.edge}/codec`;
  const servers = { dataDir, ports, binaries, deps, onStarted, codecUrl };
  const infrastructure = await startInfrastructure(servers);
  try {
    const serviceEnv = {
      SETTLE_SEED_DEMO: "1",
      ...env,
      ...portVariables(ports.services, reach),
      MONGODB_URI: infrastructure.mongodbUri,
      TEMPORAL_ADDRESS: infrastructure.temporalAddress,
    };
    const place = { ports: ports.services, env: serviceEnv, infrastructure };
    const services = await startServices(options, place, loaded);
    const addresses = addressesOf(ports.services, reach);
    await writePortsFile(dataDir, addresses, reach, infrastructure);
    return stackOf(infrastructure, services, { dataDir, addresses, reach });
  } catch (error) {
    await infrastructure.stop();
    throw error;
  }
}

async function startServices(
  options: StackOptions,
  place: {
    readonly ports: Readonly<Record<ServiceName, number>>;
    readonly env: Env;
    readonly infrastructure: Infrastructure;
  },
  loaded: Promise<ReadonlyMap<ServiceName, LoadedService>> | undefined,
): Promise<ServiceGroup> {
  const { dataDir, deps, reach } = options;
  const { ports, env, infrastructure } = place;
  const task = deps.progress.task("services");
  task.note("starting");
  try {
    // Loaded only now: the servers were to be on their way first.
    const { startInProcess } = await import("./in-process.ts");
    const { startSplit } = await import("./split.ts");
    const group =
      loaded === undefined
        ? await startSplit(
            new Map(SERVICE_NAMES.map((name) => [name, ports[name]])),
            reach,
            env,
            dataDir,
            infrastructure.guard,
          )
        : await startInProcess(await loaded, env, dataDir.logs);
    if (reach.scheme === "https") await proveReach(reach, ports.edge, group);
    task.end("  services are ready");
    return group;
  } catch (error) {
    task.end("  services did not start");
    throw error;
  }
}

/** Certificates that others do not believe show only when they are shown: to us by the edge, to the edge by all. */
async function proveReach(reach: Reach, port: number, group: ServiceGroup): Promise<void> {
  const { edgeFault } = await import("./edge-fault.ts");
  const fault = await edgeFault(`${reach.scheme}://${reach.host}:${port}`, reach.identity);
  if (fault === undefined) return;
  await group.stop();
  throw new Error(
    `the services cannot call each other over TLS: ${fault}; SETTLE_TLS_CA must name the authority that issued ` +
      "SETTLE_TLS_CERT and SETTLE_TLS_CLIENT_CERT (docs/security.md)",
  );
}

function addressesOf(
  ports: Readonly<Record<ServiceName, number>>,
  { host }: Reach,
): Readonly<Record<ServiceName, string>> {
  const at = (name: ServiceName): string => `${host}:${ports[name]}`;
  return {
    edge: at("edge"),
    account: at("account"),
    fraud: at("fraud"),
    notification: at("notification"),
    payment: at("payment"),
    reporting: at("reporting"),
    gateway: at("gateway"),
  };
}

interface Placed {
  readonly dataDir: DataDir;
  /** `host:port` of every service. */
  readonly addresses: Readonly<Record<ServiceName, string>>;
  readonly reach: Reach;
}

function stackOf(
  infrastructure: Infrastructure,
  services: ServiceGroup,
  { dataDir, addresses: own, reach }: Placed,
): Stack {
  const { temporalAddress, temporalUi, mongodbUri } = infrastructure;
  const addresses = {
    ...own,
    temporal: temporalAddress,
    ...(temporalUi === undefined ? {} : { temporalUi }),
    mongod: hostsOf(mongodbUri),
  };
  return {
    addresses,
    url: (name) => `${reach.scheme}://${own[name]}`,
    reach,
    temporalUi,
    dataDir: path.relative(process.cwd(), dataDir.path) || ".",
    failed: Promise.race([services.failed, infrastructureFailed(infrastructure)]),
    async stop() {
      await rm(dataDir.portsFile, { force: true });
      await services.stop();
      await infrastructure.stop();
    },
    kill() {
      services.kill();
      infrastructure.kill();
    },
  };
}

async function infrastructureFailed(infrastructure: Infrastructure): Promise<string> {
  const never = new Promise<string>(() => undefined);
  const { logs } = infrastructure.dataDir;
  const ended = infrastructure.children.map(async (child) => {
    const how = await child.exited;
    return `${how}. Its last log lines (${logs}/${child.name}.log):\n${await lastLogLines(logs, child.name)}`;
  });
  return Promise.race([never, ...ended]);
}

/** Where the CLI, load tests and people find the stack; readable by its owner, for a URI may hold a password. */
async function writePortsFile(
  dataDir: DataDir,
  addresses: Placed["addresses"],
  { scheme }: Reach,
  infrastructure: Infrastructure,
): Promise<void> {
  const { temporalAddress: temporal, temporalUi, mongodbUri: mongodb } = infrastructure;
  const places = Object.entries(addresses).map(([name, address]) => [
    name,
    scheme === "https" ? `https://${address}` : address,
  ]);
  const ports = { ...Object.fromEntries(places), temporal, temporalUi, mongodb, pid: process.pid };
  await writeAtomically(dataDir.portsFile, `${JSON.stringify(ports, undefined, 2)}\n`, 0o600);
}

/** `host:port` out of a connection string, without credentials. */
function hostsOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]*)/.exec(uri)?.[1] ?? uri;
}
