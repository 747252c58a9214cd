import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescService } from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import type { PortSecurity } from "../auth/security.ts";
import type { Log } from "../log.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { Refusal } from "../refusal.ts";
import { restHandler } from "../rest/handler.ts";
import { rpcAdapter } from "./adapter.ts";
import { createAdmission } from "./admission.ts";
import { allowOrigins } from "./cors.ts";
import { createGate, EXEMPT } from "./gate.ts";
import { headerAliases } from "./header-aliases.ts";
import { createHealthState, type HealthState, healthService } from "./health.ts";
import { inProcessTransport } from "./in-process.ts";
import { RPC_LIMITS, type RpcLimits } from "./limits.ts";
import { outcomeInterceptor, type Track } from "./outcome.ts";
import { OverloadGuard, type OverloadPolicy, overloadInterceptor } from "./overload.ts";
import { plainHttp } from "./plain-http.ts";
import { openPort, type PortHandler } from "./port.ts";
import { reflectionRoutes, reflectionServices } from "./reflection.ts";
import { validationInterceptor, warmValidator } from "./validation.ts";

/** How long running calls may take to end when the server closes, in milliseconds. */
const DRAIN_MS = 10_000;

/** How long the last bytes may take to leave when nothing runs any more, in milliseconds. */
const FLUSH_MS = 250;

/**
 * Connect hands these options on to its own decoder: broken UTF-8 in JSON is refused, not replaced. So are names that
 * are not known: leniency would drop a misspelt `captureMode`, or its misspelt value, and take the money at once.
 */
const STRICT_JSON = {
  ignoreUnknownFields: false,
  textDecoder: new TextDecoder("utf-8", { fatal: true }),
};

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
  readonly http?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Throws when the service cannot work now; asked by /readyz and health checks. */
  readonly ready?: () => Promise<void>;
  /** The same for one service by its full name, where services of the port can fail apart. */
  readonly readyOf?: (service: string) => Promise<void>;
  /** Origins whose pages may call, besides those of this machine. */
  readonly origins?: readonly string[];
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
  const limits = { ...RPC_LIMITS, ...options.limits };
  const health = createHealthState(options.ready ?? (async () => undefined), options.readyOf);
  const shutdown = new AbortController();
  const work = new Set<Promise<unknown>>();
  const metrics = createMetrics();
  const tracked = (running: Promise<unknown>): void => track(work, running);
  const router = createRouter(options, limits, health, { tracked, metrics });
  const { log, reasons, services } = options;
  const adapting = { log, reasons, limits, metrics, shutdown: shutdown.signal };
  const rest = restHandler({
    services,
    transport: inProcessTransport(router, adapting),
    bodyBytesMax: limits.readBytesMax,
    log,
  });
  const other = plainHttp({ health, metrics, log, http: options.http, rest });
  const adapter = rpcAdapter(router, adapting, other);
  const handler: PortHandler = (request, response) => {
    track(work, new Promise<void>((resolve) => response.once("close", resolve)));
    if (shutdown.signal.aborted && request.httpVersionMajor === 1) {
      response.setHeader("connection", "close");
    }
    if (!allowOrigins(request, response, options.origins)) adapter(request, response);
  };
  const port = await openPort({ ...options, tls: options.security.tls }, handler, limits);
  const close = async (drainMs: number): Promise<void> => {
    await health.stop();
    port.stopAccepting();
    shutdown.abort(new Refusal("SHUTTING_DOWN"));
    await drained(work, drainMs);
    await port.destroy(Math.min(drainMs, FLUSH_MS));
  };
  let closing: Promise<void> | undefined;
  return {
    host: options.host,
    port: port.port,
    address: addressOf(options.host, port.port),
    close(drainMs = DRAIN_MS) {
      closing ??= close(drainMs);
      return closing;
    },
  };
}

function createRouter(
  options: RpcServerOptions,
  limits: RpcLimits,
  health: HealthState,
  { tracked, metrics }: { readonly tracked: Track; readonly metrics: Metrics },
): ConnectRouter {
  const { callerLimits } = options.security;
  const services = [...options.services, Health, ...reflectionServices];
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: limits.readBytesMax,
    writeMaxBytes: limits.writeBytesMax,
    jsonOptions: STRICT_JSON,
    interceptors: [
      outcomeInterceptor(options.reasons, tracked),
      ...(options.overload === undefined
        ? []
        : [overloadInterceptor(createGuard(options.overload, metrics), EXEMPT)]),
      headerAliases(),
      ...(options.validate === false
        ? []
        : [validationInterceptor(warmValidator(options.services))]),
    ],
    requestGate: createGate(
      options.services,
      options.security.authority,
      options.reasons,
      callerLimits && createAdmission(callerLimits, undefined, (limit) => metrics.shed(limit)),
    ),
  });
  options.routes(router);
  router.service(Health, healthService(services, health));
  reflectionRoutes(router, services);
  return router;
}

/** What it decides is on the metrics, so that one sees a server shed before its callers tell. */
function createGuard(policy: Partial<OverloadPolicy>, metrics: Metrics): OverloadGuard {
  const guard = new OverloadGuard(policy, undefined, () => metrics.shed("overload"));
  const { gauge } = metrics;
  gauge("settle_overload_limit", "Unary calls that may run at once now.", () => guard.limit);
  gauge("settle_overload_running", "Unary calls that run now.", () => guard.running);
  gauge("settle_overload_waiting", "Unary calls that wait for a place.", () => guard.waiting);
  return guard;
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
