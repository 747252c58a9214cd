import type { ListQuery } from "#kit/list/spec.ts";
import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { Account, AccountState } from "../domain/account.ts";
import type { LedgerOutcome, LedgerRequest } from "../domain/request.ts";
import type { Hold, Transfer } from "../domain/transfer.ts";

/** A transfer as it is now: the stored one, and whether a posting has undone it since. */
export interface TransferView {
  readonly transfer: Transfer;
  readonly reversed: boolean;
}

/** Reads of the ledger, and the changes of an account that move no money. */
export interface AccountStore {
  findAccount(scope: Scope, id: string): Promise<Account | undefined>;
  /** Accounts that meet the query, in its order. */
  listAccounts(scope: Scope, query: ListQuery): Promise<readonly Account[]>;
  /** Inserts, or answers the account that is in the way: by its id, or by its owner and currency. */
  insertAccount(
    scope: Scope,
    account: Account,
    requestId: string,
  ): Promise<{ readonly account: Account; readonly requestId: string }>;
  /** Sets the state of a customer account; undefined when there is none with this id. */
  setAccountState(
    scope: Scope,
    id: string,
    change: { readonly state: AccountState; readonly now: Date; readonly version?: bigint },
  ): Promise<Account | undefined>;
  findTransfer(scope: Scope, id: string, reversalId: string): Promise<TransferView | undefined>;
  findHold(scope: Scope, id: string): Promise<Hold | undefined>;
  /** Postings of an account that meet the query, in its order. */
  listPostings(scope: Scope, accountId: string, query: ListQuery): Promise<readonly Transfer[]>;
  /** Whether nobody has opened an account in any tenant yet. */
  isEmpty(): Promise<boolean>;
}

/** What the use cases work with. */
export interface AccountDeps {
  readonly store: AccountStore;
  /** The group commit. */
  readonly ledger: { submit(request: LedgerRequest): Promise<LedgerOutcome> };
  readonly now: () => Date;
}

/** What a Debit or Credit asks for. */
export interface TransferInput {
  readonly transactionId: string;
  readonly accountId: string;
  readonly amount: Money;
  readonly reference: string;
  /** Empty means `external:funding` of the currency. */
  readonly counterAccountId: string;
}
