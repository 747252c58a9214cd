import type { BlockList } from "node:net";
import type { Db } from "mongodb";
import type { Log } from "../log.ts";
import type { CallerLimits } from "../rpc/admission.ts";
import { type Authority, type Caller, createAuthority } from "./authority.ts";
import type { SecurityConfig } from "./config.ts";
import type { JwtConfig } from "./jwt-config.ts";
import { cacheKeys } from "./key-cache.ts";
import { createKeyStore } from "./key-store.ts";
import { type Certificates, watchCertificates } from "./tls.ts";

/** What a port needs to know its callers, and how it treats their connections. */
export interface PortSecurity {
  readonly authority: Authority;
  /** What each credential may take of the port; absent: no limit. */
  readonly callerLimits?: CallerLimits | undefined;
  /** Host names a request may name, besides those of this machine; absent: none. `any` where keys are asked for. */
  readonly hosts?: readonly string[] | "any" | undefined;
  /** Proxies whose `X-Forwarded-For` is believed; absent: none. */
  readonly trustedProxies?: BlockList | undefined;
  /** How long an idle HTTP/1 connection stays open, in milliseconds; absent: the port's own default. */
  readonly keepAliveMs?: number | undefined;
  /** Absent: the port speaks in the clear. */
  readonly tls?:
    | { readonly certificates: Certificates; readonly clientCertificates: boolean }
    | undefined;
}

/** Who a process is when it calls its peers. */
export interface PeerIdentity {
  /** Sent as a bearer credential where a call brings none. */
  readonly key?: string | undefined;
  /** For peers with an https URL. */
  readonly certificates?: Certificates | undefined;
}

/** Both directions of a process. */
export interface Security extends PortSecurity, Disposable {
  readonly identity: PeerIdentity;
}

/**
 * Makes a process's security out of its settings. Reads certificates at once; reads keys on first use. Says so in the
 * log when anybody on this machine may call.
 */
export function createSecurity(
  config: SecurityConfig,
  log: Log,
  database: () => Promise<Db>,
): Security {
  const { mode, serviceKeys, jwt, serverTls, clientCertificates, peerTls } = config;
  const server = serverTls && watchCertificates(serverTls, log);
  const peer = peerTls && watchCertificates(peerTls, log);
  if (mode === "development") {
    log.warn(
      "DEVELOPMENT MODE: anybody on this machine may call, with every role and without a key",
    );
  }
  return {
    authority: createAuthority({
      open: mode === "development",
      serviceKeys,
      findKey: cacheKeys(async (id) => createKeyStore(await database()).byId(id)),
      verifyToken: jwt && tokenVerifier(jwt),
    }),
    callerLimits: config.callerLimits,
    hosts: config.hosts,
    keepAliveMs: config.keepAliveMs,
    trustedProxies: config.trustedProxies,
    tls: server && { certificates: server, clientCertificates },
    identity: { key: serviceKeys[0], certificates: peer },
    [Symbol.dispose]() {
      server?.[Symbol.dispose]();
      peer?.[Symbol.dispose]();
    },
  };
}

/** Loaded only where tokens are accepted: most processes know keys only. */
function tokenVerifier(config: JwtConfig): (token: string) => Promise<Caller> {
  const verifier = import("./jwt.ts").then(({ createTokenVerifier }) =>
    createTokenVerifier(config),
  );
  return async (token) => (await verifier)(token);
}
