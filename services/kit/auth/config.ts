import { BlockList, isIP } from "node:net";
import type { EnvReader } from "../config.ts";
import type { CallerLimits } from "../rpc/admission.ts";
import { RPC_LIMITS } from "../rpc/limits.ts";
import { JWT_ALGORITHMS, type JwtAlgorithm, type JwtConfig } from "./jwt-config.ts";
import type { TlsFiles } from "./tls.ts";

/** Who may reach a process and how it reaches others. */
export interface SecurityConfig {
  /** `development`: on this machine only, and no credentials needed. Default `development`. */
  readonly mode: "development" | "production";
  /** Whole keys that mean role `service`; the first is sent to peers, all are accepted. */
  readonly serviceKeys: readonly string[];
  /** Absent: no token is accepted. */
  readonly jwt: JwtConfig | undefined;
  /** What ports show; absent: they speak in the clear. */
  readonly serverTls: TlsFiles | undefined;
  /** Whether callers must show a certificate that `serverTls.ca` vouches for. */
  readonly clientCertificates: boolean;
  /** What peers are shown and checked against; absent: the authorities Node knows, and no certificate. */
  readonly peerTls: TlsFiles | undefined;
  /** What one credential may take of one port. Default: without limit in development. */
  readonly callerLimits: CallerLimits;
  /**
   * Host names that requests may name besides those of this machine; others could be a web page's doing. `SETTLE_HOSTS`,
   * comma-separated, or `any`. Default: none in development, `any` in production, where every call brings a key.
   */
  readonly hosts: readonly string[] | "any";
  /**
   * How long an idle HTTP/1 connection stays open, in milliseconds. `SETTLE_KEEP_ALIVE`; default 620 s, above the 600 s
   * of common balancers, which must be the ones to close.
   */
  readonly keepAliveMs: number;
  /**
   * Proxies whose `X-Forwarded-For` says where a call comes from, for the security log and for limits per address.
   * `SETTLE_TRUSTED_PROXIES`: addresses or networks such as `10.0.0.0/8`, comma-separated. Default: none.
   */
  readonly trustedProxies: BlockList;
}

/** In production, where nothing else is set: far above what one honest caller needs, far below what a port can do. */
const PRODUCTION_LIMITS = { perSecond: 200, inFlight: 256, waiting: 1_024 } as const;
const OPEN_LIMITS = { perSecond: 0, inFlight: 0, waiting: 0 } as const;

const JWT_TYPES: readonly string[] = ["jwt", "at+jwt"];
const JWT_LIFETIME_MAX_MS = 86_400_000;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost)$/;
const SERVICE_KEY_LENGTH_MIN = 32;

/**
 * Reads who may call. Development on an address that others reach, production without a service key, and an open
 * address in the clear without SETTLE_INSECURE_PLAINTEXT=1 are mistakes: a process refuses to start with them.
 */
export function readSecurityConfig(reader: EnvReader, host: string): SecurityConfig {
  const mode = reader.oneOf("SETTLE_MODE", "development", ["development", "production"]);
  const serviceKeys = reader.readHidden("SETTLE_SERVICE_KEY", [], readServiceKeys);
  /** 1 lets an address that others reach speak in the clear, where the network encrypts by itself. */
  const insecure = reader.oneOf("SETTLE_INSECURE_PLAINTEXT", "0", ["0", "1"]) === "1";
  const serverTls = readFiles(reader, "SETTLE_TLS_CERT", "SETTLE_TLS_KEY");
  const isLoopback = LOOPBACK.test(host);
  if (mode === "development" && !isLoopback) {
    reader.mistake(
      `SETTLE_HOST=${host} with SETTLE_MODE=development: anybody could call without a key; ` +
        "set SETTLE_MODE=production and SETTLE_SERVICE_KEY (docs/security.md), or listen on 127.0.0.1",
    );
  }
  if (mode === "production" && serviceKeys.length === 0) {
    reader.mistake(
      "SETTLE_SERVICE_KEY is not set: services could not tell each other from strangers; " +
        `set one random text of at least ${SERVICE_KEY_LENGTH_MIN} characters for all services`,
    );
  }
  if (!isLoopback && serverTls === undefined && !insecure) {
    reader.mistake(
      `SETTLE_HOST=${host} without TLS: set SETTLE_TLS_CERT and SETTLE_TLS_KEY, ` +
        "or SETTLE_INSECURE_PLAINTEXT=1 where the network is trusted or encrypts by itself",
    );
  }
  const clientCertificates =
    reader.oneOf("SETTLE_TLS_CLIENT_AUTH", "none", ["none", "require"]) === "require";
  if (clientCertificates && serverTls?.ca === undefined) {
    reader.mistake("SETTLE_TLS_CLIENT_AUTH=require needs SETTLE_TLS_CERT, _KEY and SETTLE_TLS_CA");
  }
  /** Certificate and key that peers are shown; absent: those of SETTLE_TLS_CERT. */
  const shown = readFiles(reader, "SETTLE_TLS_CLIENT_CERT", "SETTLE_TLS_CLIENT_KEY") ?? serverTls;
  const ca = reader.text("SETTLE_TLS_CA", "");
  const peerTls = shown ?? (ca === "" ? undefined : { ca });
  const callerLimits = readCallerLimits(reader, mode);
  const jwt = readJwt(reader);
  const hosts = reader.read("SETTLE_HOSTS", mode === "production" ? "any" : [], readHosts);
  const keepAliveMs = reader.durationMs("SETTLE_KEEP_ALIVE", RPC_LIMITS.keepAliveMs);
  const trustedProxies = reader.read("SETTLE_TRUSTED_PROXIES", new BlockList(), readNetworks);
  const given = { mode, serviceKeys, jwt, serverTls, clientCertificates, peerTls };
  return { ...given, callerLimits, hosts, keepAliveMs, trustedProxies };
}

function readCallerLimits(reader: EnvReader, mode: SecurityConfig["mode"]): CallerLimits {
  const defaults = mode === "production" ? PRODUCTION_LIMITS : OPEN_LIMITS;
  const perSecond = reader.integer("SETTLE_RATE_PER_SECOND", defaults.perSecond, 0, 1_000_000);
  const burst = Math.max(1, perSecond * 2);
  return {
    perSecond,
    burst: reader.integer("SETTLE_RATE_BURST", burst, 1, 1_000_000),
    inFlight: reader.integer("SETTLE_IN_FLIGHT", defaults.inFlight, 0, 1_000_000),
    waiting: reader.integer("SETTLE_WAITING", defaults.waiting, 0, 1_000_000),
  };
}

function readHosts(text: string): readonly string[] | "any" {
  if (text === "any") return "any";
  return text.split(",").map((part) => {
    const name = part.trim().toLowerCase();
    if (!/^([a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(name)) {
      throw new Error("expected host names without ports, separated by commas, or any");
    }
    return name;
  });
}

function readNetworks(text: string): BlockList {
  const list = new BlockList();
  for (const part of text.split(",")) {
    const [address = "", bits] = part.trim().split("/");
    const version = isIP(address);
    const bitsMax = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? bitsMax : Number(bits);
    if (version === 0 || bits === "" || !Number.isInteger(prefix) || prefix < 0 || prefix > bitsMax)
      throw new Error("expected addresses or networks such as 10.0.0.0/8, separated by commas");
    list.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

function readServiceKeys(text: string): readonly string[] {
  const keys = text.split(",").map((key) => key.trim());
  if (keys.some((key) => key.length < SERVICE_KEY_LENGTH_MIN || !/^[\x21-\x7e]+$/.test(key))) {
    throw new Error(`expected keys of at least ${SERVICE_KEY_LENGTH_MIN} printable characters`);
  }
  return keys;
}

function readFiles(reader: EnvReader, certName: string, keyName: string): TlsFiles | undefined {
  const cert = reader.text(certName, "");
  const key = reader.text(keyName, "");
  const ca = reader.text("SETTLE_TLS_CA", "");
  if ((cert === "") !== (key === "")) reader.mistake(`${certName} and ${keyName} belong together`);
  if (cert === "" || key === "") return undefined;
  return { cert, key, ...(ca === "" ? {} : { ca }) };
}

function readJwt(reader: EnvReader): JwtConfig | undefined {
  const jwks = reader.read("SETTLE_JWT_JWKS", "", readJwksPlace);
  const issuer = reader.text("SETTLE_JWT_ISSUER", "");
  const audience = reader.text("SETTLE_JWT_AUDIENCE", "");
  /** Signature algorithms a token may have. */
  const algorithms = reader.read<readonly JwtAlgorithm[]>(
    "SETTLE_JWT_ALGORITHMS",
    ["EdDSA", "ES256"],
    readAlgorithms,
  );
  const types = reader.read("SETTLE_JWT_TYPES", JWT_TYPES, readTypes);
  const lifetimeMaxMs = reader.durationMs("SETTLE_JWT_LIFETIME_MAX", JWT_LIFETIME_MAX_MS);
  if (jwks === "" && issuer === "" && audience === "") return undefined;
  if (jwks === "" || issuer === "" || audience === "") {
    reader.mistake("SETTLE_JWT_JWKS, SETTLE_JWT_ISSUER and SETTLE_JWT_AUDIENCE belong together");
  }
  return { jwks, issuer, audience, algorithms, types, lifetimeMaxMs };
}

function readTypes(text: string): readonly string[] {
  const types = text.split(",").map((part) => part.trim().toLowerCase());
  if (types.every((type) => /^[a-z0-9.+-]+$/.test(type))) return types;
  throw new Error("expected some of jwt, at+jwt, none or another type, separated by commas");
}

/** Keys that come over an open network could be anybody's. */
function readJwksPlace(text: string): string {
  if (!/^https?:/.test(text)) return text;
  const { protocol, hostname } = new URL(text);
  if (protocol === "https:" || LOOPBACK.test(hostname)) return text;
  throw new Error("expected a file, an https URL, or an http URL of this machine");
}

function readAlgorithms(text: string): readonly JwtAlgorithm[] {
  return text.split(",").map((name) => {
    const known = JWT_ALGORITHMS.find((algorithm) => algorithm === name.trim());
    if (known === undefined) throw new Error(`expected some of ${JWT_ALGORITHMS.join(", ")}`);
    return known;
  });
}
