import { readFile, stat } from "node:fs/promises";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import { ALL_ROLES, type Role } from "../pure/scope.ts";
import { Refusal } from "../refusal.ts";
import { type Caller, isTenant } from "./authority.ts";
import type { JwtConfig } from "./jwt-config.ts";

/** Roles a token can give. `service` is not one: whoever has it acts for every tenant, and only our own keys say so. */
const TOKEN_ROLES: readonly Role[] = ALL_ROLES.filter((role) => role !== "service");

/** Clocks differ, in seconds. */
const CLOCK_TOLERANCE_S = 5;
/** How long the issuer may take to answer, in milliseconds. */
const JWKS_TIMEOUT_MS = 3_000;
/** How long its keys are believed, in milliseconds. */
const JWKS_CACHE_MS = 600_000;
/** An unknown kid asks again, but not more often than this, in milliseconds. */
const JWKS_COOLDOWN_MS = 10_000;
/** How often the file is looked at, in milliseconds. */
const FILE_CHECK_MS = 5_000;

/** Checks tokens: signature by a key of the set named by `kid`, issuer, audience, `exp`, `sub` and our own claims. */
export function createTokenVerifier(config: JwtConfig): (token: string) => Promise<Caller> {
  const keys = /^https?:/.test(config.jwks) ? remoteKeys(config.jwks) : fileKeys(config.jwks);
  return async (token) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, withKid(keys), {
        issuer: config.issuer,
        audience: config.audience,
        algorithms: [...config.algorithms],
        requiredClaims: ["exp", "sub", "tenant", "roles"],
        clockTolerance: CLOCK_TOLERANCE_S,
      });
      checkType(protectedHeader.typ, config.types);
      checkLifetime(payload, config.lifetimeMaxMs);
      return callerOf(payload);
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

/** `application/` may be left out of a type that has no other slash (RFC 7515, section 4.1.9). */
function checkType(typ: string | undefined, types: readonly string[]): void {
  const type = typ?.toLowerCase().replace(/^application\//, "") ?? "none";
  if (!types.includes(type)) throw new Error(`typ ${type} is not taken`);
}

/** A token that lives for years is a password that nobody can change. Without `iat` its life begins now. */
function checkLifetime({ iat, exp = 0 }: JWTPayload, lifetimeMaxMs: number): void {
  const nowS = Date.now() / 1_000;
  const lifeS = exp - Math.min(iat ?? nowS, nowS);
  if ((lifeS - CLOCK_TOLERANCE_S) * 1_000 > lifetimeMaxMs) throw new Error("lives too long");
}

/** Without a kid any key of the set would be tried. */
function withKid(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    if (typeof header.kid !== "string" || header.kid === "") throw new errors.JWKSNoMatchingKey();
    return keys(header, token);
  };
}

function remoteKeys(url: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cacheMaxAge: JWKS_CACHE_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    // Whatever goes wrong on the way is an outage; only an answer that is no key set is a mistake of the issuer.
    [customFetch]: async (...request) => {
      const response = await fetch(...request).catch(unavailable);
      return response.ok ? response : unavailable(new Error(`HTTP ${response.status}`));
    },
  });
}

function unavailable(cause: unknown): never {
  throw new Refusal("IDENTITY_UNAVAILABLE", { cause });
}

/** Keys of a file, read again when it has changed, so that keys are rolled without a restart. */
function fileKeys(file: string): JWTVerifyGetKey {
  let loaded: { readonly mtimeMs: number; readonly keys: JWTVerifyGetKey } | undefined;
  let checkedMs = Number.NEGATIVE_INFINITY;
  const current = async (): Promise<JWTVerifyGetKey> => {
    if (loaded !== undefined && performance.now() - checkedMs < FILE_CHECK_MS) return loaded.keys;
    const { mtimeMs } = await stat(file);
    if (loaded?.mtimeMs !== mtimeMs) {
      // JSON enters here; jose refuses what is no key set.
      const set = JSON.parse(await readFile(file, "utf8")) as JSONWebKeySet;
      loaded = { mtimeMs, keys: createLocalJWKSet(set) };
    }
    checkedMs = performance.now();
    return loaded.keys;
  };
  return async (header, token) => {
    const keys = await current().catch(unavailable);
    return keys(header, token);
  };
}

/** Our claims: `tenant`, `sub`, `roles` (a list, or one text with spaces between), `accounts` (a list, for payers). */
function callerOf(payload: JWTPayload): Caller {
  const { sub: subject = "", tenant } = payload;
  if (typeof tenant !== "string" || !isTenant(tenant)) throw new Error("tenant is not a tenant");
  if (subject === "" || [...subject].length > 256) throw new Error("sub is empty or too long");
  const roles = texts(payload["roles"]);
  return {
    tenant,
    subject,
    roles: TOKEN_ROLES.filter((role) => roles.includes(role)),
    accounts: texts(payload["accounts"] ?? []),
    credential: `token:${tenant}/${subject}`,
    ...(payload.exp === undefined ? {} : { expireMs: payload.exp * 1_000 }),
  };
}

function texts(claim: unknown): readonly string[] {
  if (typeof claim === "string") return claim.split(" ").filter((text) => text !== "");
  if (Array.isArray(claim) && claim.every((text) => typeof text === "string")) return claim;
  throw new Error("expected a list of texts");
}

/** Why a token is refused is for the log: a caller who forges one learns nothing. */
function refusalOf(cause: unknown): Refusal {
  if (cause instanceof Refusal) return cause;
  if (cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid) {
    return new Refusal("IDENTITY_UNAVAILABLE", { cause });
  }
  return new Refusal("CREDENTIALS_INVALID", { cause });
}
