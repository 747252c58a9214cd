import { fitsInt64, type Money } from "#kit/pure/money.ts";
import type { DeclineReason } from "../reasons.ts";
import { type Account, availableOf } from "./account.ts";
import type { Book } from "./book.ts";
import type { DeclineFacts, Transfer } from "./transfer.ts";

/** A movement of money between two accounts, before anyone asked whether it may happen. */
export interface Move {
  readonly tenant: string;
  readonly sourceAccountId: string;
  readonly destinationAccountId: string;
  readonly amount: Money;
  /** What is already set aside for it and may be used: the captured hold. 0 for a fresh debit. */
  readonly fromHold: bigint;
  /** Whether a frozen source may pay: what was promised before the freeze still may. */
  readonly evenIfFrozen: boolean;
}

/** Why a movement may not happen. */
export interface Decline {
  readonly reason: DeclineReason;
  readonly facts: DeclineFacts;
}

/** Both sides of a movement that may happen. */
export interface Parties {
  readonly source: Account;
  readonly destination: Account;
}

/** Decides whether a movement may happen. Order of the checks is part of the contract: existence first. */
export function judgeMove(book: Book, move: Move): Parties | Decline {
  const { minorUnits } = move.amount;
  const source = book.account(move.tenant, move.sourceAccountId);
  if (source === undefined) return decline("ACCOUNT_NOT_FOUND", move.sourceAccountId);
  const destination = book.account(move.tenant, move.destinationAccountId);
  if (destination === undefined) return decline("ACCOUNT_NOT_FOUND", move.destinationAccountId);
  for (const party of [source, destination]) {
    if (party.currencyCode !== move.amount.currencyCode) {
      return decline("CURRENCY_MISMATCH", party.id);
    }
  }
  if (source.state === "FROZEN" && !move.evenIfFrozen) return decline("ACCOUNT_FROZEN", source.id);
  if (source.kind === "CUSTOMER" && availableOf(source) + move.fromHold < minorUnits) {
    return decline("INSUFFICIENT_FUNDS", source.id);
  }
  if (!fitsInt64(source.balance - minorUnits)) return decline("BALANCE_OVERFLOW", source.id);
  if (!fitsInt64(destination.balance + minorUnits)) {
    return decline("BALANCE_OVERFLOW", destination.id);
  }
  return { source, destination };
}

/** Tells a decline from parties. */
export function isDecline(judged: Parties | Decline): judged is Decline {
  return "reason" in judged;
}

/** What posting wrote besides the caller's own facts. */
export type Posted = Pick<
  Transfer,
  | "sourceAccountId"
  | "destinationAccountId"
  | "currencyCode"
  | "amount"
  | "state"
  | "sourceBalanceAfter"
  | "destinationBalanceAfter"
  | "order"
>;

/** Moves the money in the book; `freed` is what a captured hold had set aside, its unused rest included. */
export function postMove(book: Book, parties: Parties, amount: Money, freed: bigint): Posted {
  const { source, destination } = parties;
  const order = book.nextOrder(source, destination);
  const paid: Account = {
    ...source,
    balance: source.balance - amount.minorUnits,
    held: source.held - freed,
    lastOrder: order,
    updateTime: book.now,
  };
  const received: Account = {
    ...destination,
    balance: destination.balance + amount.minorUnits,
    lastOrder: order,
    updateTime: book.now,
  };
  book.putAccount(paid);
  book.putAccount(received);
  return {
    sourceAccountId: source.id,
    destinationAccountId: destination.id,
    currencyCode: amount.currencyCode,
    amount: amount.minorUnits,
    state: "POSTED",
    sourceBalanceAfter: paid.kind === "CUSTOMER" ? paid.balance : null,
    destinationBalanceAfter: received.kind === "CUSTOMER" ? received.balance : null,
    order,
  };
}

function decline(reason: DeclineReason, accountId: string): Decline {
  return { reason, facts: { account_id: accountId } };
}
