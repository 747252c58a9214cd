import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import type { SettleClientOptions, TlsOptions } from "./options.ts";

/** A way to one address, and how to end it. */
export interface OpenTransport {
  readonly transport: Transport;
  close(): void;
}

/** A connection to `baseUrl` that carries the credentials of the options. Opens with the first call. */
export function openTransport(baseUrl: string, options: SettleClientOptions): OpenTransport {
  const interceptors = [withCredentials(options)];
  const protocol = options.protocol ?? "grpc";
  if (protocol === "grpc") {
    const tls = options.tls ?? {};
    // Pings tell a connection that died in silence from one with nothing to say.
    const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs: 20_000 }, tls);
    const transport = createGrpcTransport({ baseUrl, interceptors, sessionManager });
    return { transport, close: () => sessionManager.abort() };
  }
  const agent = openAgent(baseUrl, options.tls);
  const http1 = { baseUrl, interceptors, httpVersion: "1.1", nodeOptions: { agent } } as const;
  const transport =
    protocol === "connect" ? createConnectTransport(http1) : createGrpcWebTransport(http1);
  return { transport, close: () => agent.destroy() };
}

function openAgent(baseUrl: string, tls: TlsOptions | undefined): HttpAgent {
  return baseUrl.startsWith("https:")
    ? new HttpsAgent({ keepAlive: true, ...tls })
    : new HttpAgent({ keepAlive: true });
}

function withCredentials({ apiKey, tenant }: SettleClientOptions): Interceptor {
  return (next) => (request) => {
    if (apiKey !== undefined) request.header.set("authorization", `Bearer ${apiKey}`);
    if (tenant !== undefined) request.header.set("settle-tenant", tenant);
    return next(request);
  };
}
