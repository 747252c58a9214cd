import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescService } from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { Log } from "../log.ts";
import type { ReasonTable } from "../pure/reasons.ts";
import { rpcAdapter } from "./adapter.ts";
import { developmentScope, scopeKey } from "./context.ts";
import { RPC_LIMITS, type RpcLimits } from "./limits.ts";
import { outcomeInterceptor } from "./outcome.ts";
import { openPort } from "./port.ts";

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
  /** Answers a plain HTTP request that is not an RPC (a webhook, say) and returns true, or returns false. */
  readonly http?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Throws when the service cannot work now; asked by /readyz and health checks. */
  readonly ready?: () => Promise<void>;
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

/** Opens one port for gRPC, gRPC-Web and Connect over HTTP/1.1 and HTTP/2, with health and reflection. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const limits = { ...RPC_LIMITS, ...options.limits };
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: limits.readBytesMax,
    writeMaxBytes: limits.writeBytesMax,
    interceptors: [outcomeInterceptor(options.reasons)],
    requestGate: (context) => {
      context.values.set(scopeKey, developmentScope(context.requestHeader));
    },
  });
  options.routes(router);
  let running = 0;
  const adapter = rpcAdapter(router, {
    log: options.log,
    fallback: (request, response) => {
      if (options.http?.(request, response) !== true) response.writeHead(404).end();
    },
  });
  const port = await openPort(
    options,
    (request, response) => {
      running += 1;
      response.once("close", () => {
        running -= 1;
      });
      adapter(request, response);
    },
    limits,
  );
  return {
    host: options.host,
    port: port.port,
    address: `${options.host}:${port.port}`,
    async close(drainMs = 10_000) {
      port.stopAccepting();
      const until = Date.now() + drainMs;
      while (running > 0 && Date.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await port.destroy();
    },
  };
}
