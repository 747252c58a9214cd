import { DEFAULT_PORTS, type Env, EnvReader, type ServiceName } from "#kit/config.ts";
import { choosePorts, type PortRequest } from "./ports.ts";
import type { Reach } from "./reach.ts";

/** A port for everything a stack opens. */
export interface PortPlan {
  readonly services: Readonly<Record<ServiceName, number>>;
  readonly temporal: number;
  readonly temporalUi: number;
  readonly mongod: number;
}

/** The last digits of the default ports are the offsets from a port base. */
const DEFAULT_BASE = 8_000;
const INFRASTRUCTURE = {
  temporal: { port: 7_233, offset: 11 },
  "Temporal UI": { port: 8_233, offset: 12 },
  mongod: { port: 27_017, offset: 13 },
} as const;

/** Decides all ports at once. `SETTLE_PORT_<NAME>` places one service and is not moved either. */
export async function planPorts(
  options: {
    readonly portBase: number | undefined;
    readonly services: readonly ServiceName[];
    readonly env: Env;
  },
  onMove: (request: PortRequest, port: number) => void,
): Promise<PortPlan> {
  const requests = requestsFor(options);
  const chosen = await choosePorts(requests, onMove);
  const port = (name: string, fallback: number): number => chosen.get(name) ?? fallback;
  return {
    services: {
      account: port("account", DEFAULT_PORTS.account),
      fraud: port("fraud", DEFAULT_PORTS.fraud),
      notification: port("notification", DEFAULT_PORTS.notification),
      payment: port("payment", DEFAULT_PORTS.payment),
      gateway: port("gateway", DEFAULT_PORTS.gateway),
      reporting: port("reporting", DEFAULT_PORTS.reporting),
      edge: port("edge", DEFAULT_PORTS.edge),
    },
    temporal: port("temporal", 0),
    temporalUi: port("Temporal UI", 0),
    mongod: port("mongod", 0),
  };
}

function requestsFor(options: {
  readonly portBase: number | undefined;
  readonly services: readonly ServiceName[];
  readonly env: Env;
}): PortRequest[] {
  const { portBase: base, env } = options;
  const reader = new EnvReader(env);
  const fixed = base !== undefined;
  const requests: PortRequest[] = options.services.map((name) => {
    const standard = base === undefined ? DEFAULT_PORTS[name] : base + offsetOf(name);
    const variable = `SETTLE_PORT_${name.toUpperCase()}`;
    const port = fixed ? standard : reader.integer(variable, standard, 0, 65_535);
    return { name, port, fixed: fixed || Boolean(env[variable]) };
  });
  for (const [name, { port, offset }] of Object.entries(INFRASTRUCTURE)) {
    const external = name === "mongod" ? env["MONGODB_URI"] : env["TEMPORAL_ADDRESS"];
    if (external) continue;
    requests.push({ name, port: base === undefined ? port : base + offset, fixed });
  }
  reader.finish();
  return requests;
}

/** The edge is what people type, so it has the base itself. */
function offsetOf(name: ServiceName): number {
  return name === "edge" ? 0 : DEFAULT_PORTS[name] - DEFAULT_BASE;
}

/** The variables by which services find their own port and each other. */
export function portVariables(
  ports: PortPlan["services"],
  { scheme, host }: Pick<Reach, "scheme" | "host">,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, port] of Object.entries(ports)) {
    variables[`SETTLE_PORT_${name.toUpperCase()}`] = String(port);
    variables[`SETTLE_URL_${name.toUpperCase()}`] = `${scheme}://${host}:${port}`;
  }
  return variables;
}
