import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { type OpenTransport, withCredentials } from "./open-transport.ts";
import type { SettleClientOptions, TlsOptions } from "./options.ts";

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
