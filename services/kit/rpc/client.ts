import type { SecureClientSessionOptions } from "node:http2";
import type { DescService } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { PeerIdentity } from "../auth/security.ts";
import type { Scope } from "../pure/scope.ts";
import { TENANT_HEADER } from "./context.ts";

/** Longest a peer call may take when the caller names no deadline, in milliseconds. */
export const PEER_TIMEOUT_MS = 10_000;

/** One HTTP/2 connection to a peer. */
export interface PeerTransport {
  readonly transport: Transport;
  readonly sessions: Http2SessionManager;
}

/** Nobody in particular: enough for development. */
const ANONYMOUS: PeerIdentity = {};

const transports = new Map<PeerIdentity, Map<string, PeerTransport>>();

/** One HTTP/2 connection per peer and identity; building one per call would cost a handshake each. */
function transportTo(baseUrl: string, identity: PeerIdentity): Transport {
  const own = transports.get(identity) ?? new Map<string, PeerTransport>();
  transports.set(identity, own);
  const peer = own.get(baseUrl) ?? connectTo(baseUrl, identity);
  own.set(baseUrl, peer);
  return peer.transport;
}

/** A connection of its own to a peer, opened on first use; whoever makes it aborts its sessions in the end. */
export function connectTo(baseUrl: string, identity: PeerIdentity): PeerTransport {
  const sessions = new Http2SessionManager(
    baseUrl,
    { pingIntervalMs: 20_000 },
    presentCertificates(identity),
  );
  const transport = createGrpcTransport({
    baseUrl,
    acceptCompression: [],
    defaultTimeoutMs: PEER_TIMEOUT_MS,
    interceptors: [identify(identity), brokenIsUnavailable],
    sessionManager: sessions,
  });
  return { transport, sessions };
}

/** Read anew for every connection, because certificates change while the process runs. */
function presentCertificates({ certificates }: PeerIdentity): SecureClientSessionOptions {
  if (certificates === undefined) return {};
  return {
    get cert() {
      return certificates.current().cert;
    },
    get key() {
      return certificates.current().key;
    },
    get ca() {
      return certificates.current().ca;
    },
  };
}

/** Shows the process's own key, unless the call brings a caller's. */
function identify({ key }: PeerIdentity): Interceptor {
  return (next) => (request) => {
    if (key !== undefined && !request.header.has("authorization")) {
      request.header.set("authorization", `Bearer ${key}`);
    }
    return next(request);
  };
}

/** What Connect calls a connection that breaks; CANCELED when the peer closes it, as over a certificate it refuses. */
const BROKEN: ReadonlySet<Code> = new Set([Code.Internal, Code.Unknown, Code.Canceled]);

/**
 * A connection that breaks during a call is INTERNAL, UNKNOWN or CANCELED in Connect's words, as if the peer had a bug
 * or the caller had gone. It is UNAVAILABLE: the outcome is not known, and the call is repeated with the same key.
 */
const brokenIsUnavailable: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    const broken = ConnectError.from(error);
    if (broken.isWireError || !BROKEN.has(broken.code) || request.signal.aborted) throw error;
    throw new ConnectError("the connection broke", Code.Unavailable, undefined, undefined, error);
  }
};

/**
 * Closes the connections to all peers, so that the process can exit. Calls that run fail as UNAVAILABLE;
 * a later call opens a new connection.
 */
export function closePeers(): void {
  for (const own of transports.values()) {
    for (const { sessions } of own.values()) sessions.abort();
  }
}

/**
 * A typed gRPC client of a peer. Base URL such as `http://127.0.0.1:8001`, or `https://…` where the peer has
 * certificates. A service passes `platform.security.identity`: without it only a development server answers.
 */
export function createPeer<S extends DescService>(
  service: S,
  baseUrl: string,
  identity: PeerIdentity = ANONYMOUS,
): Client<S> {
  return createClient(service, transportTo(baseUrl, identity));
}

/**
 * Call options that carry the tenant, the caller's remaining time and its cancellation to a peer. Inside a handler:
 * `onBehalfOf(scopeOf(context), { signal: context.signal, timeoutMs: context.timeoutMs() })`.
 */
export function onBehalfOf(
  scope: Pick<Scope, "tenant">,
  options: {
    readonly timeoutMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): CallOptions {
  const { timeoutMs, signal } = options;
  return {
    headers: { [TENANT_HEADER]: scope.tenant },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  };
}
