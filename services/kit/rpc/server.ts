import type { ConnectRouter } from "@connectrpc/connect";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescService } from "@bufbuild/protobuf";
import type { Log } from "../log.ts";
import type { ReasonTable } from "../pure/reasons.ts";

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
export declare function startRpcServer(options: RpcServerOptions): Promise<RpcServer>;
