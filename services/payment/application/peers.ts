import type { Scope } from "#kit/pure/scope.ts";
import type { Notice } from "../domain/notice.ts";

/** An account somebody may pay from. */
export interface PayerAccount {
  readonly accountId: string;
  readonly currencyCode: string;
}

/** What the application asks of other services; the saga's own calls are its activities. */
export interface Peers {
  /** The owner's account in the currency, or undefined. */
  accountOf(scope: Scope, ownerId: string, currencyCode: string): Promise<string | undefined>;
  /** The owner's accounts. */
  accountsOf(scope: Scope, ownerId: string): Promise<readonly PayerAccount[]>;
  /** The account's currency. Fails with ACCOUNT_NOT_FOUND. */
  currencyOf(scope: Scope, accountId: string): Promise<string>;
  /** Stores a message once per id. */
  sendNotice(tenant: string, notice: Notice): Promise<void>;
}
