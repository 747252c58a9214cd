import { type Account, openAccount, systemCurrency } from "./account.ts";
import type { Hold, Transfer } from "./transfer.ts";

/** Orders leave room for a million postings per millisecond, so the clock hardly ever has to be overtaken. */
const ORDERS_PER_MS = 1_000_000n;

/** What a batch changes, for one transaction. */
export interface BookChanges {
  /** Customer accounts that a decision read, as they were and as they are: all go into the guarded update. */
  readonly customers: readonly { readonly before: Account; readonly after: Account }[];
  /** Customer accounts opened by the batch. */
  readonly opened: readonly Account[];
  /** System accounts that a posting moved; `before` says by how much. */
  readonly systems: readonly { readonly before: Account; readonly after: Account }[];
  readonly transfers: readonly Transfer[];
  /** Holds, declines and tombstones that are new. */
  readonly holds: readonly Hold[];
  /** Stored holds that the batch captured or released. */
  readonly resolved: readonly Hold[];
}

/**
 * The part of the ledger one batch works on, in memory. It remembers every customer account a decision
 * looked at: a decline depends on what it read just as a posting does, so both must be guarded.
 */
export class Book {
  readonly now: Date;
  readonly #before = new Map<string, Account>();
  readonly #accounts = new Map<string, Account>();
  readonly #read = new Set<string>();
  readonly #storedTransfers = new Map<string, Transfer>();
  readonly #newTransfers = new Map<string, Transfer>();
  readonly #storedHolds = new Map<string, Hold>();
  readonly #newHolds = new Map<string, Hold>();
  readonly #resolvedHolds = new Map<string, Hold>();
  #order: bigint;

  constructor(
    now: Date,
    stored: {
      readonly accounts: Iterable<Account>;
      readonly transfers: Iterable<Transfer>;
      readonly holds: Iterable<Hold>;
    },
  ) {
    this.now = now;
    this.#order = BigInt(now.getTime()) * ORDERS_PER_MS;
    for (const account of stored.accounts) this.#before.set(keyOf(account), account);
    for (const transfer of stored.transfers) this.#storedTransfers.set(keyOf(transfer), transfer);
    for (const hold of stored.holds) this.#storedHolds.set(keyOf(hold), hold);
  }

  /** The account as the batch has left it so far; a system account that is not stored yet is opened. */
  account(tenant: string, id: string): Account | undefined {
    const key = keyOf({ tenant, id });
    const found = this.#accounts.get(key) ?? this.#before.get(key);
    if (found !== undefined) {
      if (found.kind === "CUSTOMER") this.#read.add(key);
      return found;
    }
    const currencyCode = systemCurrency(id);
    if (currencyCode === undefined) return undefined;
    return openAccount({ tenant, id, kind: "SYSTEM", ownerId: "", currencyCode }, this.now);
  }

  transfer(tenant: string, id: string): Transfer | undefined {
    const key = keyOf({ tenant, id });
    return this.#newTransfers.get(key) ?? this.#storedTransfers.get(key);
  }

  hold(tenant: string, id: string): Hold | undefined {
    const key = keyOf({ tenant, id });
    return this.#newHolds.get(key) ?? this.#resolvedHolds.get(key) ?? this.#storedHolds.get(key);
  }

  putAccount(account: Account): void {
    this.#accounts.set(keyOf(account), account);
  }

  putTransfer(transfer: Transfer): Transfer {
    this.#newTransfers.set(keyOf(transfer), transfer);
    return transfer;
  }

  putHold(hold: Hold): Hold {
    const key = keyOf(hold);
    const stored = this.#storedHolds.has(key);
    (stored ? this.#resolvedHolds : this.#newHolds).set(key, hold);
    return hold;
  }

  /** A place in the books after everything these accounts have seen, even when the clock went backwards. */
  nextOrder(...accounts: readonly Account[]): bigint {
    for (const { lastOrder } of accounts) if (lastOrder > this.#order) this.#order = lastOrder;
    this.#order += 1n;
    return this.#order;
  }

  changes(): BookChanges {
    const customers: { before: Account; after: Account }[] = [];
    for (const key of this.#read) {
      const before = this.#before.get(key);
      if (before !== undefined) customers.push({ before, after: this.#after(key, before) });
    }
    const systems: { before: Account; after: Account }[] = [];
    const opened: Account[] = [];
    for (const [key, after] of this.#accounts) {
      const before = this.#before.get(key);
      if (after.kind === "SYSTEM") {
        systems.push({ before: before ?? { ...after, balance: 0n, version: 0n }, after });
      } else if (before === undefined) opened.push(after);
    }
    return {
      customers,
      opened,
      systems,
      transfers: [...this.#newTransfers.values()],
      holds: [...this.#newHolds.values()],
      resolved: [...this.#resolvedHolds.values()],
    };
  }

  #after(key: string, before: Account): Account {
    const after = this.#accounts.get(key) ?? before;
    return { ...after, version: before.version + 1n, updateTime: this.now };
  }
}

/** Names an account, transfer or hold within a batch of several tenants; ids cannot contain the separator. */
export function keyOf(row: { readonly tenant: string; readonly id: string }): string {
  return `${row.tenant}\u0000${row.id}`;
}
