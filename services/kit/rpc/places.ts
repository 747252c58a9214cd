import { Counts } from "./counts.ts";

/** Who takes a place: shares are counted by tenant and by credential. */
export interface Party {
  readonly tenant: string;
  /** `Caller.credential`. */
  readonly credential: string;
}

/** How much of a number of places one tenant and one credential may have, as parts of 1. */
export interface Shares {
  readonly tenant: number;
  readonly credential: number;
}

/** Whose share is used up. */
export type UsedUp = "all" | "tenant" | "credential";

/** So many places anybody may have: a share of a few places would refuse a caller that does no harm. */
const SHARE_MIN = 8;

/** Credential of Settle's own services. They act for everybody, so no share binds them. */
const SHARED_BY_ALL = "service";

/** Places that are taken, by whom. The number of places is the caller's affair: it may change. */
export class Places {
  readonly #shares: Shares;
  readonly #byTenant = new Counts();
  readonly #byCredential = new Counts();
  #taken = 0;

  constructor(shares: Shares) {
    this.#shares = shares;
  }

  /** Places taken now. */
  get taken(): number {
    return this.#taken;
  }

  /** Why a party may take no place out of `max`, or undefined when it may. */
  usedUp(party: Party, max: number): UsedUp | undefined {
    const full = this.#taken >= max ? "all" : undefined;
    if (party.credential === SHARED_BY_ALL) return full;
    const { tenant, credential } = this.#shares;
    const taken = this.#byCredential.of(credentialKey(party));
    if (taken >= shareOf(max, credential)) return "credential";
    return this.#byTenant.of(party.tenant) >= shareOf(max, tenant) ? "tenant" : full;
  }

  enter(party: Party): void {
    this.#taken += 1;
    this.#byTenant.add(party.tenant, 1);
    this.#byCredential.add(credentialKey(party), 1);
  }

  leave(party: Party): void {
    this.#taken -= 1;
    this.#byTenant.add(party.tenant, -1);
    this.#byCredential.add(credentialKey(party), -1);
  }

  /** Who has fewer places comes first: less than 0 when that is `one`. */
  compare(one: Party, other: Party): number {
    return (
      this.#byTenant.of(one.tenant) - this.#byTenant.of(other.tenant) ||
      this.#byCredential.of(credentialKey(one)) - this.#byCredential.of(credentialKey(other))
    );
  }
}

function shareOf(max: number, share: number): number {
  return Math.max(SHARE_MIN, Math.ceil(max * share));
}

/** The developer and a service have one credential in every tenant. */
function credentialKey({ tenant, credential }: Party): string {
  return `${tenant} ${credential}`;
}
