import { ALL_ROLES, type Role } from "../pure/scope.ts";
import { Refusal } from "../refusal.ts";
import { hashSecret, KEY_PREFIX, parseKey, sameSecret } from "./key.ts";
import type { FindKey } from "./key-cache.ts";
import type { KeyRow } from "./key-store.ts";

/** Header with the tenant a service acts for; honoured only from role `service`. */
export const TENANT_HEADER = "settle-tenant";

/** Who calls, as its credentials say. */
export interface Caller {
  readonly tenant: string;
  readonly subject: string;
  readonly roles: readonly Role[];
  /** What it may see where it is a mere payer. */
  readonly accounts: readonly string[];
  /** Stands for the credentials where limits are counted: `key:<id>`, `token:<tenant>/<subject>`, `service` or `dev`. */
  readonly credential: string;
  /** When its credentials end, in milliseconds since 1970; absent: no end is known. */
  readonly expireMs?: number;
}

/** Says who calls by the headers of a call. */
export interface Authority {
  /**
   * Fails with CREDENTIALS_MISSING, CREDENTIALS_INVALID, INVALID_FIELD (a tenant that is none), or an outage. `fresh`
   * believes nothing that was read more than a second ago.
   */
  authenticate(headers: Headers, how?: "fresh"): Promise<Caller>;
}

/** What credentials are checked against. */
export interface AuthorityOptions {
  /** Development: whoever brings no credentials is `dev` with all roles. */
  readonly open: boolean;
  /** Whole keys of services; several while one is rotated. */
  readonly serviceKeys: readonly string[];
  /** The row of a key, not older than the revocation bound. */
  readonly findKey: FindKey;
  /** Checks a token; absent: none is accepted. */
  readonly verifyToken?: ((token: string) => Promise<Caller>) | undefined;
  readonly now?: () => Date;
}

/** A tenant is part of keys and log lines. */
const TENANT = /^[A-Za-z0-9._-]{1,64}$/;

/** Longer credentials are refused unread; a header may have 16 KiB. */
const CREDENTIALS_LENGTH_MAX = 8_192;

const DEVELOPER = { subject: "dev", roles: ALL_ROLES, accounts: [], credential: "dev" } as const;

/** The authority of a process. A presented credential is always checked, in development too. */
export function createAuthority(options: AuthorityOptions): Authority {
  return {
    async authenticate(headers, how) {
      const credentials = readBearer(headers);
      if (credentials === undefined) {
        if (!options.open) throw new Refusal("CREDENTIALS_MISSING");
        return { ...DEVELOPER, tenant: namedTenant(headers) ?? "default" };
      }
      if (options.serviceKeys.some((key) => sameSecret(key, credentials))) {
        return serviceCaller(headers);
      }
      if (credentials.startsWith(KEY_PREFIX)) return keyCaller(options, credentials, headers, how);
      if (options.verifyToken === undefined) throw new Refusal("CREDENTIALS_INVALID");
      return options.verifyToken(credentials);
    },
  };
}

/** Everyone is a developer: for servers in tests that are not about who calls. */
export function developmentAuthority(): Authority {
  return createAuthority({ open: true, serviceKeys: [], findKey: async () => undefined });
}

function readBearer(headers: Headers): string | undefined {
  const header = headers.get("authorization");
  if (header === null) return undefined;
  const [, credentials = ""] = /^Bearer +([\x21-\x7e]+)$/i.exec(header.trim()) ?? [];
  if (credentials === "" || credentials.length > CREDENTIALS_LENGTH_MAX) {
    throw new Refusal("CREDENTIALS_INVALID", {
      message: "authorization: expected `Bearer <API key or token>`",
    });
  }
  return credentials;
}

/** A service acts for a tenant it has to name: to forget it must not mean to act for another. */
function serviceCaller(headers: Headers): Caller {
  const tenant = namedTenant(headers);
  if (tenant === undefined) {
    throw new Refusal("INVALID_FIELD", { message: `${TENANT_HEADER}: a service must name one` });
  }
  return { tenant, subject: "settle", roles: ["service"], accounts: [], credential: "service" };
}

async function keyCaller(
  options: AuthorityOptions,
  credentials: string,
  headers: Headers,
  how: "fresh" | undefined,
): Promise<Caller> {
  const key = parseKey(credentials);
  const now = options.now?.() ?? new Date();
  const refresh = how === "fresh" ? "refresh" : undefined;
  let row = key === undefined ? undefined : await options.findKey(key.id, refresh);
  // Just rotated, perhaps, and read before that.
  if (key && row && !opens(row, key.secret, now)) row = await options.findKey(key.id, "refresh");
  if (key === undefined || row === undefined || !opens(row, key.secret, now)) {
    throw new Refusal("CREDENTIALS_INVALID");
  }
  const { subject, roles, accounts } = row;
  const expireMs = endOf(row, key.secret);
  const named = roles.includes("service") ? namedTenant(headers) : undefined;
  const tenant = named ?? row._id.tenant;
  const caller = { tenant, subject, roles, accounts, credential: `key:${row._id.id}` };
  return expireMs === undefined ? caller : { ...caller, expireMs };
}

/** The end of the key or of the secret that was shown, whichever comes first. */
function endOf(row: KeyRow, secret: string): number | undefined {
  const hash = hashSecret(secret);
  const known = row.secrets.filter((each) => sameSecret(each.hash, hash));
  const ends = [row.expireTime, ...known.map(({ expireTime }) => expireTime)];
  const times = ends.flatMap((end) => end?.getTime() ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function opens(row: KeyRow, secret: string, now: Date): boolean {
  const hash = hashSecret(secret);
  const isOver = (end: Date | null): boolean => end !== null && end <= now;
  return (
    row.revokeTime === null &&
    !isOver(row.expireTime) &&
    row.secrets.some((known) => sameSecret(known.hash, hash) && !isOver(known.expireTime))
  );
}

function namedTenant(headers: Headers): string | undefined {
  const tenant = headers.get(TENANT_HEADER);
  if (tenant === null) return undefined;
  if (TENANT.test(tenant)) return tenant;
  throw new Refusal("INVALID_FIELD", { message: `${TENANT_HEADER}: not a tenant` });
}

/** Whether a text can be a tenant. */
export function isTenant(text: string): boolean {
  return TENANT.test(text);
}
