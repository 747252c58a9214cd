import { createSocket, type Socket } from "node:dgram";
import { createServer } from "node:net";

/** Picks the port something listens on. */
export interface PortRequest {
  /** As it stands in messages: `account`, `mongod`. */
  readonly name: string;
  /** The port it should have. */
  readonly port: number;
  /** True when another port is no option (`--port-base`). */
  readonly fixed: boolean;
}

/** How far a taken default port is moved before giving up. */
const SEARCH_MAX = 200;

/**
 * The ports for all requests, each free at this moment. A taken default port moves to the next free one that
 * nobody else asked for, and `onMove` is told; a taken fixed port is an error that names it.
 */
export async function choosePorts(
  requests: readonly PortRequest[],
  onMove: (request: PortRequest, port: number) => void,
): Promise<Map<string, number>> {
  const wanted = new Set(requests.map((request) => request.port));
  const chosen = new Map<string, number>();
  for (const request of requests) {
    const port = await choosePort(request, wanted);
    wanted.add(port);
    chosen.set(request.name, port);
    if (port !== request.port && request.port !== 0) onMove(request, port);
  }
  return chosen;
}

async function choosePort(request: PortRequest, wanted: ReadonlySet<number>): Promise<number> {
  if (request.port === 0) return await freePort();
  if (await isFree(request.port)) return request.port;
  if (request.fixed) {
    throw new Error(
      `port ${request.port} (${request.name}) is taken by another program; ` +
        "free it, or choose another --port-base",
    );
  }
  for (let port = request.port + 1; port < request.port + SEARCH_MAX && port < 65_536; port++) {
    if (!wanted.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port for ${request.name} from ${request.port} on`);
}

/** Whether nobody listens on the port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/**
 * Where ports are taken from that nobody asked for by number: below those the system gives to outgoing connections
 * (Linux from 32768, others higher), since any of these could take a port between its choice and its use.
 */
const CLAIM_FROM = 12_000;
const CLAIM_COUNT = 14_000;
const CLAIM_TRIES_MAX = 1_000;

/**
 * The first of `count` ports in a row that nobody listens on and nobody else has claimed. They stay claimed until this
 * process ends, so that whoever chooses next takes others, however long these wait for their use.
 */
export async function claimPorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < CLAIM_TRIES_MAX; attempt += 1) {
    const first = CLAIM_FROM + Math.floor(Math.random() * (CLAIM_COUNT - count));
    const row = Array.from({ length: count }, (_, offset) => first + offset);
    const claims = await Promise.all(row.map(claim));
    const free = await Promise.all(row.map(isFree));
    if (claims.every(Boolean) && free.every(Boolean)) return first;
    for (const own of claims) own?.close();
  }
  throw new Error(`no ${count} free ports in a row from ${CLAIM_FROM} on`);
}

/** A port that is claimed for this process. */
export function freePort(): Promise<number> {
  return claimPorts(1);
}

/**
 * Takes the UDP port of the same number: the system gives it to one process only and takes it back with the process,
 * and it is in nobody's way who listens by TCP. Undefined when another process has it.
 */
function claim(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => resolve(undefined));
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => {
      socket.unref();
      resolve(socket);
    });
  });
}
