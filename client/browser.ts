import { createClientOver, type SettleClient } from "./create-client.ts";
import type { SettleClientOptions } from "./options.ts";
import { openFetchTransport } from "./transport-fetch.ts";

export * from "./exports.ts";

/**
 * A client of Settle for browsers and other places that have fetch and nothing of Node. As the one for Node, with
 * protocol `connect` (the default) or `grpc-web`; gRPC itself and `tls` are not possible in a page.
 */
export function createSettleClient(options: SettleClientOptions): SettleClient {
  return createClientOver(openFetchTransport, options);
}
