import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../log.ts";
import { METRICS_CONTENT_TYPE, type Metrics } from "../metrics.ts";
import { Refusal } from "../refusal.ts";
import type { RestHandler } from "../rest/handler.ts";
import type { HealthState } from "./health.ts";
import type { HttpHandler, HttpPort } from "./http-port.ts";
import { answerRefusal } from "./plain-error.ts";
import type { PortHandler } from "./port.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";

/** What answers requests that are no RPC. */
export interface PlainHttpOptions {
  readonly health: HealthState;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly http?: HttpHandler | undefined;
  /** What `http` may use of the port. */
  readonly port: HttpPort;
  /** The paths of the contract's annotations. */
  readonly rest: RestHandler;
}

/** `/healthz` (the process runs), `/readyz` (it can work), `/metrics`, the service's own paths, REST, else not found. */
export function plainHttp(options: PlainHttpOptions): PortHandler {
  return (request, response) => {
    const path = request.url?.split("?", 1)[0];
    if (path === "/healthz") text(response, 200, "ok");
    else if (path === "/readyz") readiness(options.health, response);
    else if (path === "/metrics") measure(options.metrics, response);
    else if (!own(options, request, response) && !options.rest(request, response)) {
      notFound(request, response);
    }
  };
}

function own(
  options: PlainHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  try {
    return options.http?.(request, response, options.port) ?? false;
  } catch (error) {
    options.log.error({ err: error, path: request.url }, "http handler failed by a bug");
    if (!response.headersSent) text(response, 500, "internal error");
    return true;
  }
}

function readiness(health: HealthState, response: ServerResponse): void {
  health.serving().then(
    (serving) => text(response, serving ? 200 : 503, serving ? "ok" : "not ready"),
    () => text(response, 503, "not ready"),
  );
}

function measure(metrics: Metrics, response: ServerResponse): void {
  response.writeHead(200, { "content-type": METRICS_CONTENT_TYPE }).end(metrics.text());
}

/** An RPC that does not exist is UNIMPLEMENTED in the protocol of the call; any other path is a 404. */
function notFound(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split("?", 1)[0]?.slice(0, 200) ?? "";
  const refusal = new Refusal("PATH_UNKNOWN", { message: `no such path or RPC: ${path}` });
  answerRefusal(request, response, refusal, requestIdOf(request.headers[REQUEST_ID_HEADER]));
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${body}\n`);
}
