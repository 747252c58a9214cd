import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Scope } from "../pure/scope.ts";
import { TENANT_HEADER } from "./context.ts";

/** Longest a peer call may take when the caller names no deadline, in milliseconds. */
export const PEER_TIMEOUT_MS = 10_000;

const transports = new Map<string, Transport>();

/** One HTTP/2 connection per peer and process; building one per call would cost a handshake each. */
function transportTo(baseUrl: string): Transport {
  let transport = transports.get(baseUrl);
  if (transport === undefined) {
    transport = createGrpcTransport({
      baseUrl,
      acceptCompression: [],
      defaultTimeoutMs: PEER_TIMEOUT_MS,
      pingIntervalMs: 20_000,
    });
    transports.set(baseUrl, transport);
  }
  return transport;
}

/** A typed gRPC client of a peer. Base URL such as `http://127.0.0.1:8001`. */
export function createPeer<S extends DescService>(service: S, baseUrl: string): Client<S> {
  return createClient(service, transportTo(baseUrl));
}

/** Call options that carry the tenant, the caller's remaining time and its cancellation to a peer. */
export function onBehalfOf(
  scope: Pick<Scope, "tenant">,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): CallOptions {
  return { ...options, headers: { [TENANT_HEADER]: scope.tenant } };
}
