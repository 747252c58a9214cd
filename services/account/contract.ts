import type { MoneyText } from "#kit/pure/money.ts";

/** Task queue of the activities that change the ledger for a saga. */
export const ACCOUNT_TASK_QUEUE = "account-activity-tasks";

/** Input of `account::validate`. */
export interface ValidateAccountInput {
  readonly tenant: string;
  readonly accountId: string;
  readonly amount: MoneyText;
}

/** Answer of `account::validate`: advice only, the hold decides. */
export interface ValidateAccountResult {
  readonly valid: boolean;
  /** Why not, else empty. */
  readonly reason: string;
}

/** Input of `account::debit`. */
export interface DebitAccountInput {
  readonly tenant: string;
  /** `<payment>:hold`, the idempotency key. */
  readonly holdId: string;
  readonly accountId: string;
  readonly destinationAccountId: string;
  readonly amount: MoneyText;
  readonly reference: string;
}

/**
 * Answer of `account::debit`. A stored decline is a result, the same for every repeat of the hold id; an
 * outcome that is not known is thrown as a retryable failure and never ends here.
 */
export type DebitAccountResult =
  | { readonly outcome: "HELD" }
  | { readonly outcome: "DECLINED"; readonly reason: string; readonly message: string };

/** Input of `account::credit`. */
export interface CreditAccountInput {
  readonly tenant: string;
  readonly holdId: string;
}

/** Answer of `account::credit`. RELEASED also when the hold was declined or never seen: nothing is held. */
export interface CreditAccountResult {
  readonly outcome: "RELEASED" | "ALREADY_CAPTURED";
}

/** Input of `account::reverse`. */
export interface ReverseTransferInput {
  readonly tenant: string;
  readonly transactionId: string;
  readonly reason: string;
}

/** The activities of `account-activity-tasks`; any worker may register them. */
export interface AccountActivities {
  "account::validate"(input: ValidateAccountInput): Promise<ValidateAccountResult>;
  /** Places the hold of a payment (PlaceHold). */
  "account::debit"(input: DebitAccountInput): Promise<DebitAccountResult>;
  /** Gives the hold of a payment back (ReleaseHold), leaving a tombstone when it was never placed. */
  "account::credit"(input: CreditAccountInput): Promise<CreditAccountResult>;
  /** Gives a posted transfer back (Reverse), leaving a tombstone when it never landed. */
  "account::reverse"(input: ReverseTransferInput): Promise<Record<string, never>>;
}
