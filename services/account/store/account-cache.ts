import type { Account } from "../domain/account.ts";
import { keyOf } from "../domain/book.ts";

/** Accounts kept in memory; about 300 bytes each. */
const CACHED_ACCOUNTS_MAX = 50_000;

/**
 * Accounts as this process last committed or read them. Only a guess: the guarded update proves it, and a
 * wrong guess is dropped. That an account is missing is never remembered.
 */
export class AccountCache {
  readonly #accounts = new Map<string, Account>();

  get(key: string): Account | undefined {
    const found = this.#accounts.get(key);
    if (found !== undefined) {
      // Least recently used first: what is used moves to the end.
      this.#accounts.delete(key);
      this.#accounts.set(key, found);
    }
    return found;
  }

  set(account: Account): void {
    const key = keyOf(account);
    this.#accounts.delete(key);
    this.#accounts.set(key, account);
    if (this.#accounts.size <= CACHED_ACCOUNTS_MAX) return;
    const oldest = this.#accounts.keys().next();
    if (!oldest.done) this.#accounts.delete(oldest.value);
  }

  drop(keys: Iterable<string>): void {
    for (const key of keys) this.#accounts.delete(key);
  }
}
