import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { type OpenTransport, withCredentials } from "./open-transport.ts";
import type { SettleClientOptions } from "./options.ts";

/** Calls by fetch, which keeps the connections itself. Throws a TypeError for what only Node can do. */
export function openFetchTransport(baseUrl: string, options: SettleClientOptions): OpenTransport {
  const protocol = options.protocol ?? "connect";
  if (protocol === "grpc") {
    throw new TypeError('protocol "grpc" needs Node; in a browser use "connect" or "grpc-web"');
  }
  if (options.tls !== undefined) {
    throw new TypeError("tls needs Node; in a browser the page's own certificates are used");
  }
  const ended = new AbortController();
  const fetchUntilClosed: typeof globalThis.fetch = (input, init = {}) =>
    globalThis.fetch(input, { ...init, signal: eitherSignal(init.signal, ended.signal) });
  const web = { baseUrl, interceptors: [withCredentials(options)], fetch: fetchUntilClosed };
  const transport =
    protocol === "connect" ? createConnectTransport(web) : createGrpcWebTransport(web);
  return { transport, close: () => ended.abort() };
}

function eitherSignal(one: AbortSignal | null | undefined, other: AbortSignal): AbortSignal {
  return one ? AbortSignal.any([one, other]) : other;
}
