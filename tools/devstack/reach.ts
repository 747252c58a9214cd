import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { SecurityConfig } from "#kit/auth/config.ts";
import type { PeerIdentity } from "#kit/auth/security.ts";
import { fixedCertificates } from "#kit/auth/tls.ts";
import { type Env, EnvReader, readBaseConfig } from "#kit/config.ts";

/** How the services of a stack are reached from this machine, and as whom. */
export interface Reach {
  readonly scheme: "http" | "https";
  /** As it stands in addresses: that of SETTLE_HOST, or this machine where the services listen everywhere. */
  readonly host: string;
  /** Calls as a service does: the demo and the audit have no key of their own. */
  readonly identity: PeerIdentity;
  readonly security: SecurityConfig;
}

const EVERYWHERE = new Set(["0.0.0.0", "::", "[::]"]);

/**
 * Reads how the services will listen, before anything is started. Throws what they would refuse to start with, and when
 * the certificate is not for the address by which they call each other.
 */
export function readReach(env: Env): Reach {
  const reader = new EnvReader(env);
  const { host: listening, security } = readBaseConfig(reader, "edge");
  reader.finish();
  const { serverTls, peerTls, serviceKeys } = security;
  const name = (EVERYWHERE.has(listening) ? "127.0.0.1" : listening).replace(/^\[(.*)\]$/, "$1");
  const certificates = peerTls && readable(() => fixedCertificates(peerTls));
  if (serverTls?.cert !== undefined) checkCertificate(serverTls.cert, name);
  return {
    scheme: serverTls === undefined ? "http" : "https",
    host: isIP(name) === 6 ? `[${name}]` : name,
    identity: { key: serviceKeys[0], certificates },
    security,
  };
}

function checkCertificate(file: string, name: string): void {
  const certificate = readable(() => new X509Certificate(readFileSync(file)));
  const fits = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  if (fits !== undefined) return;
  throw new Error(
    `SETTLE_TLS_CERT=${file} is not for ${name}, by which the services call each other; have it issued for ` +
      `${name} too, or set SETTLE_HOST to a name that it is for (docs/security.md)`,
  );
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the SETTLE_TLS_… files cannot be used: ${why}`, { cause: error });
  }
}
