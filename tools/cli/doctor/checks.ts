import { access, constants, readdir, statfs } from "node:fs/promises";
import { createConnection } from "node:net";
import os from "node:os";
import path from "node:path";
import { ConnectError } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from "#gen/grpc/health/v1/health_pb.ts";
import { DEFAULT_PORTS, type Env, type ServiceName } from "#kit/config.ts";
import type { Invocation } from "../context.ts";

/** What one check found. */
export interface Finding {
  readonly check: string;
  /** `warn`: Settle works, but something is not as it could be. */
  readonly result: "ok" | "warn" | "fail";
  readonly found: string;
  /** What to do, when there is something to do. */
  readonly next?: string;
}

const NODE_MAJOR_MIN = 24;
const PROBE_TIMEOUT_MS = 2_000;
const DISK_WARN_BYTES = 2 * 1024 ** 3;
const DISK_FAIL_BYTES = 256 * 1024 ** 2;
const TOOLS_NEEDED = ["temporal", "mongod"];
const TOOLS_FOR_TESTS = ["temporal-test-server", "k6", "grpcurl"];

/** Runs all checks at once; none changes anything. */
export async function runChecks(invocation: Invocation): Promise<readonly Finding[]> {
  const { addresses, io } = invocation;
  const services = Object.keys(DEFAULT_PORTS).filter(
    (name): name is ServiceName => name in addresses.services,
  );
  const groups = await Promise.all([
    checkNode(process.versions.node),
    checkPortsFile(invocation),
    ...services.map((name) => checkService(invocation, name)),
    checkTcp("Temporal", addresses.temporal, "npm start, or set TEMPORAL_ADDRESS"),
    checkTcp("mongod", addresses.mongod, "npm start, or set MONGODB_URI"),
    ...TOOLS_NEEDED.map((tool) => checkTool(tool, io.env, true)),
    ...TOOLS_FOR_TESTS.map((tool) => checkTool(tool, io.env, false)),
    checkDisk(addresses.dataDir),
  ]);
  return groups;
}

/** Node runs the TypeScript as it is only from version 24 on. */
export function checkNode(version: string): Finding {
  const found = `v${version}`;
  if (Number(version.split(".")[0]) >= NODE_MAJOR_MIN)
    return { check: "node", result: "ok", found };
  return {
    check: "node",
    result: "fail",
    found,
    next: "run npm ci: it brings Node 24; start by npm start or npm run settle",
  };
}

function checkPortsFile({ addresses }: Invocation): Finding {
  const { path: found, state } = addresses.portsFile;
  if (state === "read") return { check: "ports.json", result: "ok", found };
  if (state !== "absent") {
    const fault = state === "broken" ? "cannot be read" : "is of a start that was killed";
    return {
      check: "ports.json",
      result: "fail",
      found: `${found} ${fault}`,
      next: "start again by npm start: it writes the file anew",
    };
  }
  return {
    check: "ports.json",
    result: "warn",
    found: `${found} is absent`,
    next: "default ports are used; npm start writes it, --data-dir or SETTLE_DATA_DIR names another directory",
  };
}

async function checkService(invocation: Invocation, name: ServiceName): Promise<Finding> {
  const url = invocation.addresses.services[name];
  const next = `npm start, or point SETTLE_URL_${name.toUpperCase()} at it`;
  try {
    const { status } = await invocation
      .client(name, Health)
      .check({ service: "" }, invocation.call(PROBE_TIMEOUT_MS));
    if (status === Serving.SERVING)
      return { check: name, result: "ok", found: `${url} is serving` };
    return {
      check: name,
      result: "fail",
      found: `${url} is not serving`,
      next: "it starts, drains or misses its database: look at its log",
    };
  } catch (error) {
    const why = error instanceof ConnectError ? error.rawMessage : String(error);
    return { check: name, result: "fail", found: `${url}: ${why}`, next };
  }
}

async function checkTcp(check: string, address: string, next: string): Promise<Finding> {
  const why = await probe(address);
  if (why === undefined) return { check, result: "ok", found: `${address} answers` };
  return { check, result: "fail", found: `${address}: ${why}`, next };
}

/** Answers why a connection could not be made, or undefined when it could. */
function probe(address: string): Promise<string | undefined> {
  const at = address.lastIndexOf(":");
  return new Promise((resolve) => {
    const socket = createConnection({
      host: address.slice(0, at),
      port: Number(address.slice(at + 1)),
    });
    const end = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end("no answer"));
    socket.once("connect", () => end(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** Looks where the provisioner looks: environment variable, PATH, cache. */
export async function checkTool(tool: string, env: Env, needed: boolean): Promise<Finding> {
  const found = await findTool(tool, env);
  if (found !== undefined) return { check: `tool ${tool}`, result: "ok", found };
  const variable = toolVariable(tool);
  const next = `${needed ? "npm start" : "npm test"} fetches it; or put it on the PATH or set ${variable}`;
  return { check: `tool ${tool}`, result: "warn", found: "not found", next };
}

function toolVariable(tool: string): string {
  return `SETTLE_TOOL_${tool.toUpperCase().replaceAll("-", "_")}`;
}

async function findTool(tool: string, env: Env): Promise<string | undefined> {
  const named = env[toolVariable(tool)];
  const onPath = (env["PATH"] ?? "").split(path.delimiter).filter(Boolean);
  const cache = path.join(
    env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"),
    "settle",
    tool,
  );
  const versions = await readdir(cache).catch(() => []);
  const places = [
    ...(named ? [named] : []),
    ...onPath.map((directory) => path.join(directory, tool)),
    ...versions.flatMap((version) => [
      path.join(cache, version, tool),
      path.join(cache, version, "bin", tool),
    ]),
  ];
  for (const place of places) {
    const runs = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return place;
  }
  return undefined;
}

async function checkDisk(dataDir: string): Promise<Finding> {
  // The directory may not exist before the first start: then its nearest parent tells which disk it will be on.
  let directory = dataDir;
  while (
    !(await access(directory).then(
      () => true,
      () => false,
    ))
  )
    directory = path.dirname(directory);
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${directory}`;
  if (free >= DISK_WARN_BYTES) return { check: "disk", result: "ok", found };
  const next = "free some space, or take another disk by --data-dir";
  return { check: "disk", result: free < DISK_FAIL_BYTES ? "fail" : "warn", found, next };
}
