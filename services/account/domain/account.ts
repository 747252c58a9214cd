/** Customers have floor 0 and a guarded version; system accounts may be negative and take increments. */
export type AccountKind = "CUSTOMER" | "SYSTEM";

/** A frozen account takes no new debits and holds; captures, releases, credits and reversals go on. */
export type AccountState = "ACTIVE" | "FROZEN";

/** One account of one currency. Amounts are minor units that fit int64; available = balance − held. */
export interface Account {
  readonly tenant: string;
  readonly id: string;
  readonly kind: AccountKind;
  /** Free text of the owner's system, unique per tenant and currency; empty means nobody's. */
  readonly ownerId: string;
  readonly currencyCode: string;
  readonly balance: bigint;
  readonly held: bigint;
  readonly state: AccountState;
  /** Rises with every decision that read the account; the guard of every update. */
  readonly version: bigint;
  /** Order of its latest posting; the next one is larger whatever the clock says. */
  readonly lastOrder: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** What customers may name their accounts. */
export const ACCOUNT_ID = /^[A-Za-z0-9._:-]{1,64}$/;

const SYSTEM_ID = /^(?:external:[A-Za-z0-9._-]+|provider:[A-Za-z0-9._-]+|suspense):([A-Z]{3})$/;

/** Whether the id belongs to the house: CreateAccount refuses it. */
export function isReservedId(id: string): boolean {
  return id.startsWith("external:") || id.startsWith("provider:") || id.startsWith("suspense");
}

/**
 * Currency of a system account by its id, for example USD of `external:funding:USD`, `provider:mock:USD`
 * or `suspense:USD`; undefined when the id is not one of a system account.
 */
export function systemCurrency(id: string): string | undefined {
  return SYSTEM_ID.exec(id)?.[1];
}

/** The counter-account of a Debit or Credit that names none. */
export function fundingAccountId(currencyCode: string): string {
  return `external:funding:${currencyCode}`;
}

/** What can be spent now. */
export function availableOf(account: Account): bigint {
  return account.balance - account.held;
}

/** An account before its first posting. */
export function openAccount(
  identity: Pick<Account, "tenant" | "id" | "kind" | "ownerId" | "currencyCode">,
  now: Date,
): Account {
  return {
    ...identity,
    balance: 0n,
    held: 0n,
    state: "ACTIVE",
    version: 0n,
    lastOrder: 0n,
    createTime: now,
    updateTime: now,
  };
}

/** The etag of an account as it is now: opaque to callers, another one after every change. */
export function etagOf(account: Pick<Account, "version">): string {
  return account.version.toString(36);
}
