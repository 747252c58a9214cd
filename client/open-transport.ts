import type { Interceptor, Transport } from "@connectrpc/connect";
import type { SettleClientOptions } from "./options.ts";

/** A way to one address, and how to end it. */
export interface OpenTransport {
  readonly transport: Transport;
  close(): void;
}

/** Sends the key and the tenant with every call. */
export function withCredentials({ apiKey, tenant }: SettleClientOptions): Interceptor {
  return (next) => (request) => {
    if (apiKey !== undefined) request.header.set("authorization", `Bearer ${apiKey}`);
    if (tenant !== undefined) request.header.set("settle-tenant", tenant);
    return next(request);
  };
}
