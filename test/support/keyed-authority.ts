import type { Authority, Caller } from "#kit/auth/authority.ts";
import type { Role } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";

/** An authority whose keys a test makes and takes away. */
export interface KeyedAuthority extends Authority {
  /** Headers of a caller who shows the key; the key is made where it is new. */
  key(name: string, tenant: string, roles: readonly Role[], more?: Partial<Caller>): Headers;
  revoke(name: string): void;
  /** While set, checks fail with it: the database is away, say. */
  outage: Error | undefined;
  /** How often it was asked. */
  readonly asked: number;
}

/** Knows no key at first; a call without one is CREDENTIALS_MISSING. */
export function keyedAuthority(): KeyedAuthority {
  const callers = new Map<string, Caller>();
  const authority = {
    outage: undefined as Error | undefined,
    asked: 0,
    key(name: string, tenant: string, roles: readonly Role[], more: Partial<Caller> = {}) {
      const caller = { tenant, subject: name, roles, accounts: [], credential: `key:${name}` };
      callers.set(name, { ...caller, ...more });
      return new Headers({ authorization: `Bearer ${name}` });
    },
    revoke(name: string) {
      callers.delete(name);
    },
    async authenticate(headers: Headers) {
      authority.asked += 1;
      if (authority.outage !== undefined) throw authority.outage;
      const shown = headers.get("authorization");
      if (shown === null) throw new Refusal("CREDENTIALS_MISSING");
      const caller = callers.get(shown.replace("Bearer ", ""));
      if (caller === undefined) throw new Refusal("CREDENTIALS_INVALID");
      return caller;
    },
  };
  return authority;
}
