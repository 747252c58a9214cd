import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { PortSecurity } from "../auth/security.ts";
import type { Log } from "../log.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { Refusal } from "../refusal.ts";
import { restHandler } from "../rest/handler.ts";
import { createSecurityLog, type SecurityLog } from "../security-log.ts";
import { rpcAdapter } from "./adapter.ts";
import { type BodyLimits, readBody } from "./body.ts";
import { allowOrigins } from "./cors.ts";
import { createHealthState } from "./health.ts";
import type { HttpHandler, HttpPort } from "./http-port.ts";
import { inProcess } from "./in-process.ts";
import { dropLeftover } from "./leftover.ts";
import { RPC_LIMITS, type RpcLimits } from "./limits.ts";
import { createOpenBodies } from "./open-bodies.ts";
import type { OverloadPolicy } from "./overload.ts";
import { type PagePolicy, pageRefusal } from "./pages.ts";
import { answerRefusal } from "./plain-error.ts";
import { plainHttp } from "./plain-http.ts";
import { openPort, type PortHandler } from "./port.ts";
import { createPortGate, createPortRouter } from "./port-router.ts";
import { normalise } from "./request-form.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { nameSource, sourceOf } from "./source.ts";

/** How long running calls may take to end when the server closes, in milliseconds. */
const DRAIN_MS = 10_000;

/** How long the last bytes may take to leave when nothing runs any more, in milliseconds. */
const FLUSH_MS = 250;

/** How a service's port is opened. */
export interface RpcServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Services on this port, for health and reflection. */
  readonly services: readonly DescService[];
  /** Registers the handlers. */
  readonly routes: (router: ConnectRouter) => void;
  /** The service's own reasons; the common ones are added. */
  readonly reasons: ReasonTable;
  readonly log: Log;
  /** Who may call: `platform.security`. */
  readonly security: PortSecurity;
  /** Answers a plain HTTP request that is not an RPC (a webhook, say) and returns true, or returns false. */
  readonly http?: HttpHandler;
  /** Throws when the service cannot work now; asked by /readyz and health checks. */
  readonly ready?: () => Promise<void>;
  /** The same for one service by its full name, where services of the port can fail apart. */
  readonly readyOf?: (service: string) => Promise<void>;
  /** Origins whose pages may call, besides those of this machine. */
  readonly origins?: readonly string[];
  /** Where the port's numbers are shown; for a service with numbers of its own. Default: made here. */
  readonly metrics?: Metrics;
  /** Sheds load when calls become slow; absent: never. */
  readonly overload?: Partial<OverloadPolicy>;
  /** False where a peer behind the handlers judges the messages. Default true. */
  readonly validate?: boolean;
  /** For tests that cannot wait for the real durations. */
  readonly limits?: Partial<RpcLimits>;
}

/** An open port. */
export interface RpcServer {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** Graceful stop: NOT_SERVING, no new connections, finish what runs, at most `drainMs` (default 10 s). */
  close(drainMs?: number): Promise<void>;
}

/** Opens one port for gRPC, gRPC-Web, Connect and REST over HTTP/1.1 and HTTP/2, with health, reflection and metrics. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { keepAliveMs } = options.security;
  const own = keepAliveMs === undefined ? {} : { keepAliveMs };
  const limits: RpcLimits = { ...RPC_LIMITS, ...own, ...options.limits };
  const health = createHealthState(options.ready ?? (async () => undefined), options.readyOf);
  const shutdown = new AbortController();
  const work = new Set<Promise<unknown>>();
  const metrics = options.metrics ?? createMetrics();
  const security = createSecurityLog(options.log, (event) => metrics.security(event));
  const tracked = (running: Promise<unknown>): void => track(work, running);
  const gate = createPortGate(options, limits, metrics);
  const router = createPortRouter(options, limits, health, { tracked, metrics, gate });
  const { log, reasons, services } = options;
  const adapting = { log, reasons, limits, metrics, security, shutdown: shutdown.signal };
  const bodies = { ms: limits.bodyMs, heldBytesMax: limits.heldBytesMax };
  const rest = restHandler({ services, call: inProcess(router, gate, adapting), bodies, log });
  const port = createHttpPort(security, bodies);
  const other = plainHttp({ health, metrics, log, http: options.http, port, rest });
  const adapter = rpcAdapter(router, adapting, other);
  const answer = withoutPages(options, security, adapter);
  const handler: PortHandler = (request, response) => {
    track(work, new Promise<void>((resolve) => response.once("close", resolve)));
    if (shutdown.signal.aborted && request.httpVersionMajor === 1) {
      response.setHeader("connection", "close");
    }
    dropLeftover(request, response);
    answer(request, response);
  };
  const opened = await openPort({ ...options, tls: options.security.tls }, handler, limits);
  const close = async (drainMs: number): Promise<void> => {
    await health.stop();
    opened.stopAccepting();
    shutdown.abort(new Refusal("SHUTTING_DOWN"));
    await drained(work, drainMs);
    await opened.destroy(Math.min(drainMs, FLUSH_MS));
  };
  let closing: Promise<void> | undefined;
  return {
    host: options.host,
    port: opened.port,
    address: addressOf(options.host, opened.port),
    close(drainMs = DRAIN_MS) {
      closing ??= close(drainMs);
      return closing;
    },
  };
}

/** Answers everything but web pages that may not call, and preflights. */
function withoutPages(
  options: RpcServerOptions,
  security: SecurityLog,
  answer: PortHandler,
): PortHandler {
  const { origins = [] } = options;
  const policy: PagePolicy = { hosts: options.security.hosts ?? [], origins };
  return (request, response) => {
    normalise(request);
    nameSource(request, options.security.trustedProxies);
    const refusal = pageRefusal(request, policy);
    if (refusal !== undefined) {
      const requestId = requestIdOf(request.headers[REQUEST_ID_HEADER]);
      const source = sourceOf(request);
      const target = request.url?.split("?", 1)[0]?.slice(0, 200);
      security.note({ event: "page_refused", source, target, reason: refusal.reason, requestId });
      answerRefusal(request, response, refusal, requestId);
    } else if (!allowOrigins(request, response, origins)) answer(request, response);
  };
}

/** Callers of a service's own paths cannot be known before their body is read: they are held to a few at once. */
function createHttpPort(security: SecurityLog, bodies: BodyLimits): HttpPort {
  const openBodies = createOpenBodies();
  return {
    security,
    async readBody(request, response, bytesMax) {
      const read = openBodies.open(sourceOf(request));
      return readBody(request, response, bytesMax, bodies).finally(read);
    },
  };
}

function track(work: Set<Promise<unknown>>, running: Promise<unknown>): void {
  const done = () => work.delete(running);
  work.add(running);
  running.then(done, done);
}

/** Waits for everything that runs, also for what begins meanwhile on open connections. */
async function drained(work: ReadonlySet<Promise<unknown>>, drainMs: number): Promise<void> {
  const { promise: timeUp, resolve } = Promise.withResolvers<"time up">();
  const timer = setTimeout(() => resolve("time up"), drainMs);
  while (work.size > 0) {
    if ((await Promise.race([Promise.allSettled(work), timeUp])) === "time up") break;
  }
  clearTimeout(timer);
}

function addressOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
