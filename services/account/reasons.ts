import type { ReasonTable } from "#kit/pure/reasons.ts";

/** Why the Account service refuses. Stored declines carry one of these for ever, so none is ever renamed. */
export const accountReasons = {
  ACCOUNT_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such account; open it with CreateAccount.",
  },
  ACCOUNT_FROZEN: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The account is frozen: it takes no new debits and holds until UnfreezeAccount.",
  },
  INSUFFICIENT_FUNDS: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The account has less available than the amount; pay money in or take less.",
  },
  BALANCE_OVERFLOW: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The balance would no longer fit a signed 64-bit integer; move money away first or take less.",
  },
  CURRENCY_MISMATCH: {
    status: "INVALID_ARGUMENT",
    retryable: false,
    message: "The amount's currency is not the account's; use that one.",
  },
  TRANSACTION_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no transaction with this id; look it up with ListEntries.",
  },
  TRANSACTION_ID_REUSED: {
    status: "ALREADY_EXISTS",
    retryable: false,
    message: "The id was used for another movement of money; take a new one.",
  },
  TRANSACTION_REVERSED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The reversal of this id came first, so it can never land; use a new id if it is wanted after all.",
  },
  HOLD_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no hold with this id; check it, or place one with PlaceHold.",
  },
  HOLD_ALREADY_RESOLVED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message:
      "The hold was resolved before; a hold is captured or released once. GetHold shows which.",
  },
  AMOUNT_EXCEEDS_HOLD: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The amount is larger than what the hold set aside; capture at most that.",
  },
  RESOURCE_EXISTS: {
    status: "ALREADY_EXISTS",
    retryable: false,
    message:
      "There is an account with this id, or one of this owner in this currency; read it with GetAccount.",
  },
  LEDGER_BUSY: {
    status: "UNAVAILABLE",
    retryable: true,
    message: "The ledger could not decide in time; retry with the same id.",
  },
} as const satisfies ReasonTable;

/** A reason under which the ledger stores a decline. */
export type DeclineReason =
  | "ACCOUNT_NOT_FOUND"
  | "ACCOUNT_FROZEN"
  | "INSUFFICIENT_FUNDS"
  | "BALANCE_OVERFLOW"
  | "CURRENCY_MISMATCH"
  | "HOLD_NOT_FOUND"
  | "HOLD_ALREADY_RESOLVED"
  | "AMOUNT_EXCEEDS_HOLD";
