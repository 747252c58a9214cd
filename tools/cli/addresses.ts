import { readFileSync } from "node:fs";
import path from "node:path";
import { DEFAULT_PORTS, type Env, type ServiceName } from "#kit/config.ts";
import { processBirth } from "../provision/lock.ts";
import { UsageError } from "./errors.ts";

/** Where everything is, and where that was read. */
export interface Addresses {
  readonly dataDir: string;
  /** `<data-dir>/ports.json`, written by `npm start`. */
  readonly portsFile: {
    readonly path: string;
    /** `left`: by a start that was killed; somebody else may be on its ports by now. */
    readonly state: "read" | "absent" | "broken" | "left";
  };
  /** Why a service that nothing else names is not called: its stack does not run. Undefined when it does, or none is meant. */
  readonly fault: string | undefined;
  /** Base URL of each service. */
  readonly services: Readonly<Record<ServiceName, string>>;
  /** `host:port`. */
  readonly temporal: string;
  /** `host:port` of the first member. */
  readonly mongod: string;
}

/** What the command line says about addresses. */
export interface AddressOptions {
  readonly address?: string;
  readonly dataDir?: string;
  /** Whose certificates are believed: then an address that names no scheme means https, so that no key goes in the clear. */
  readonly ca?: string;
}

/**
 * Finds the services: `--address` or SETTLE_ADDRESS (one for all, such as the edge's), else `SETTLE_URL_<NAME>`, else
 * `<data-dir>/ports.json`, else the default ports. The data directory is `--data-dir`, SETTLE_DATA_DIR or ./.data.
 */
export function locateServices(options: AddressOptions, env: Env): Addresses {
  const dataDir = path.resolve(options.dataDir ?? env["SETTLE_DATA_DIR"] ?? ".data");
  const file = path.join(dataDir, "ports.json");
  const { state, ports } = readPorts(file);
  const named = options.dataDir ?? env["SETTLE_DATA_DIR"];
  const one = options.address ?? (env["SETTLE_ADDRESS"] || undefined);
  const scheme = (options.ca ?? env["SETTLE_TLS_CA"]) ? "https" : "http";
  const url = (name: ServiceName): string =>
    toUrl(
      (one && withScheme(one, scheme)) ??
        env[`SETTLE_URL_${name.toUpperCase()}`] ??
        ports.get(name) ??
        `127.0.0.1:${DEFAULT_PORTS[name]}`,
    );
  return {
    dataDir,
    portsFile: { path: file, state },
    fault: one || (state === "absent" && named === undefined) ? undefined : faultOf(state, dataDir),
    services: {
      account: url("account"),
      fraud: url("fraud"),
      notification: url("notification"),
      payment: url("payment"),
      gateway: url("gateway"),
      reporting: url("reporting"),
      edge: url("edge"),
    },
    temporal: env["TEMPORAL_ADDRESS"] ?? ports.get("temporal") ?? "127.0.0.1:7233",
    mongod: mongodAddress(env["MONGODB_URI"] ?? ports.get("mongod") ?? ports.get("mongodb")),
  };
}

function faultOf(state: Addresses["portsFile"]["state"], dataDir: string): string | undefined {
  if (state === "read") return undefined;
  if (state === "broken") return `${dataDir}/ports.json cannot be read`;
  return `no stack runs from ${dataDir}`;
}

function withScheme(address: string, scheme: "http" | "https"): string {
  return /^https?:\/\//.test(address) ? address : `${scheme}://${address}`;
}

function toUrl(address: string): string {
  const text = withScheme(address, "http");
  if (!URL.canParse(text) || new URL(text).hostname === "") {
    throw new UsageError(
      `not an address: ${address}`,
      "give host:port, for example 127.0.0.1:8004",
    );
  }
  return text;
}

function mongodAddress(text: string | undefined): string {
  const hosts = text?.replace(/^mongodb(\+srv)?:\/\/([^@/]*@)?/, "").replace(/[/?].*$/, "");
  const first = hosts?.split(",")[0];
  if (!first) return "127.0.0.1:27017";
  return first.includes(":") ? first : `${first}:27017`;
}

/** Takes `{payment: "127.0.0.1:8004"}` or the same under `addresses`; a bare number is a port on this machine. */
function readPorts(file: string): {
  readonly state: Addresses["portsFile"]["state"];
  readonly ports: ReadonlyMap<string, string>;
} {
  try {
    const root: unknown = JSON.parse(readFileSync(file, "utf8"));
    const ports = new Map([...addressEntries(root), ...addressEntries(field(root, "addresses"))]);
    const pid = field(root, "pid");
    const left = typeof pid === "number" && processBirth(pid) === undefined;
    return left ? { state: "left", ports: new Map() } : { state: "read", ports };
  } catch (error) {
    const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { state: absent ? "absent" : "broken", ports: new Map() };
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function addressEntries(value: unknown): (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, address]: [string, unknown]) => {
    if (typeof address === "number") return [[name, `127.0.0.1:${address}`] as const];
    return typeof address === "string" ? [[name, address] as const] : [];
  });
}
