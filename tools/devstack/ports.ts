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

/** A port the system has just chosen. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port: 0, host: "127.0.0.1" }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
