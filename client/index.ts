import { createClientOver, type SettleClient } from "./create-client.ts";
import type { SettleClientOptions } from "./options.ts";
import { openTransport } from "./transport.ts";

export * from "./exports.ts";

/**
 * A client of Settle for Node. Calls that are safe by contract are tried again with growing, random pauses until an
 * answer or the end of `timeoutMs`; mutations are safe because a missing `request_id` is set. Errors are SettleErrors.
 * Throws a TypeError when `baseUrl` is not an http or https address.
 */
export function createSettleClient(options: SettleClientOptions): SettleClient {
  return createClientOver(openTransport, options);
}
