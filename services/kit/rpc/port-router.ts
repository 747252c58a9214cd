import type { DescMethod } from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { accessRules } from "../auth/access.ts";
import type { Metrics } from "../metrics.ts";
import { createAdmission } from "./admission.ts";
import { createGate, EXEMPT, type Gate } from "./gate.ts";
import { headerAliases } from "./header-aliases.ts";
import { type HealthState, healthService } from "./health.ts";
import type { RpcLimits } from "./limits.ts";
import { outcomeInterceptor, type Track } from "./outcome.ts";
import { OverloadGuard, type OverloadPolicy, overloadInterceptor } from "./overload.ts";
import { reflectionRoutes, reflectionServices } from "./reflection.ts";
import { reservedIds } from "./reserved-ids.ts";
import type { RpcServerOptions } from "./server.ts";
import { createStrangers } from "./strangers.ts";
import { validationInterceptor, warmValidator } from "./validation.ts";
import { waitingInterceptor } from "./waiting.ts";

/**
 * Connect hands these options on to its own decoder: broken UTF-8 in JSON is refused, not replaced. So are names that
 * are not known: leniency would drop a misspelt `captureMode`, or its misspelt value, and take the money at once.
 */
const STRICT_JSON = {
  ignoreUnknownFields: false,
  textDecoder: new TextDecoder("utf-8", { fatal: true }),
};

/** Who may call the RPCs of a port. */
export function createPortGate(
  options: RpcServerOptions,
  limits: RpcLimits,
  metrics: Metrics,
): Gate {
  const { authority, callerLimits } = options.security;
  const onShed = (limit: string): void => metrics.shed(limit);
  return createGate({
    services: options.services,
    authority,
    reasons: options.reasons,
    admission: callerLimits && createAdmission(callerLimits, undefined, onShed),
    strangers: createStrangers(undefined, () => onShed("refusals")),
    recheckMs: limits.recheckMs,
  });
}

/** What a port's handlers share. */
export interface RouterTools {
  readonly tracked: Track;
  readonly metrics: Metrics;
  readonly gate: Gate;
}

/** The handlers of every RPC, each with the size of message that its contract grants. */
export function createPortRouter(
  options: RpcServerOptions,
  limits: RpcLimits,
  health: HealthState,
  { tracked, metrics, gate }: RouterTools,
): Pick<ConnectRouter, "handlers"> {
  const services = [...options.services, Health, ...reflectionServices];
  const rules = accessRules(options.services.filter(({ typeName }) => !EXEMPT.has(typeName)));
  const sizeOf = (method: DescMethod): number =>
    rules.get(method)?.requestBytesMax || limits.readBytesMax;
  const common = {
    acceptCompression: [compressionGzip, compressionBrotli],
    writeMaxBytes: limits.writeBytesMax,
    jsonOptions: STRICT_JSON,
    interceptors: createInterceptors(options, tracked, metrics),
    requestGate: gate,
  };
  const sizes = new Set([limits.readBytesMax, ...[...rules.keys()].map(sizeOf)]);
  // Connect has one size for all RPCs of a router: so there is a router for each size.
  const handlers = [...sizes].flatMap((readMaxBytes) => {
    const router = createConnectRouter({ ...common, readMaxBytes });
    options.routes(router);
    router.service(Health, healthService(services, health));
    reflectionRoutes(router, services);
    return router.handlers.filter(({ method }) => sizeOf(method) === readMaxBytes);
  });
  return { handlers };
}

function createInterceptors(
  options: RpcServerOptions,
  tracked: Track,
  metrics: Metrics,
): Interceptor[] {
  const { overload, validate, services } = options;
  return [
    outcomeInterceptor(options.reasons, tracked),
    ...(overload ? [overloadInterceptor(createGuard(overload, metrics), EXEMPT)] : []),
    waitingInterceptor(),
    headerAliases(),
    reservedIds(),
    ...(validate === false ? [] : [validationInterceptor(warmValidator(services))]),
  ];
}

/** What it decides is on the metrics, so that one sees a server shed before its callers tell. */
function createGuard(policy: Partial<OverloadPolicy>, metrics: Metrics): OverloadGuard {
  const guard = new OverloadGuard(policy, undefined, (limit) => metrics.shed(limit));
  const { gauge } = metrics;
  gauge("settle_overload_limit", "Unary calls that may run at once now.", () => guard.limit);
  gauge("settle_overload_running", "Unary calls that run now.", () => guard.running);
  gauge("settle_overload_queued", "Unary calls that wait for a place.", () => guard.queued);
  gauge("settle_overload_waiting", "Calls and streams that only wait.", () => guard.waiting);
  return guard;
}
