import type { Money } from "#kit/pure/money.ts";
import { no, ok, type Result } from "#kit/pure/result.ts";
import type { GatewayReason } from "../reasons.ts";

/** What became of an authorisation; the names are those of the contract without their prefix. */
export type TransactionState = "PENDING" | "AUTHORIZED" | "CAPTURED" | "VOIDED" | "DECLINED";

/** What the merchant asked for. */
export interface Order {
  /** The merchant's own id. */
  readonly merchantReference: string;
  readonly amount: Money;
}

/** One authorisation and all that became of it. */
export interface Transaction {
  /** The key of the Authorize call. */
  readonly authorizationKey: string;
  /** The provider's own id. */
  readonly gatewayReference: string;
  /** Null on the tombstone of a void that came before its Authorize. */
  readonly order: Order | null;
  readonly state: TransactionState;
  /** In minor units of the order's currency. */
  readonly capturedMinor: bigint;
  readonly refundedMinor: bigint;
  /** Empty unless declined. */
  readonly declineReason: string;
  /**
   * An authorisation that is still to take effect: ON_TIME only while PENDING, EVEN_IF_VOIDED also after a void.
   * It leaves this field in the same write as it takes effect, so that it does so once.
   */
  readonly upcoming: "NONE" | "ON_TIME" | "EVEN_IF_VOIDED";
  /** The first answer to each operation is lost on its way. */
  readonly dropsAnswers: boolean;
  /** Refunds that the provider made by itself, oldest first; part of `refundedMinor`. */
  readonly providerRefunds?: readonly ProviderRefund[];
  /** When it was authorised, null if it never was. */
  readonly authorizeTime: Date | null;
  readonly createTime: Date;
  readonly updateTime: Date;
  /** Grows with every write; each write is guarded by the one it read. */
  readonly version: bigint;
}

/** A refund that the merchant did not ask for; `key` names it for ever. */
export interface ProviderRefund {
  readonly key: string;
  readonly minorUnits: bigint;
}

/** Most refunds the provider makes by itself of one authorisation. */
const PROVIDER_REFUNDS_MAX = 100;

/** What an operation makes of a transaction: the same object where it has no effect. */
export type Decision = Result<Transaction, GatewayReason>;

/** Takes the authorised amount or a part of it, once. Without an amount: all of it. */
export function decideCapture(transaction: Transaction, amount: Money | undefined): Decision {
  const { order, state } = transaction;
  if (state === "PENDING") return no("GATEWAY_PENDING");
  if (state === "DECLINED" || state === "VOIDED" || order === null) return no("GATEWAY_DECLINED");
  const wanted = amount ?? order.amount;
  if (wanted.currencyCode !== order.amount.currencyCode) return no("CURRENCY_MISMATCH");
  if (wanted.minorUnits > order.amount.minorUnits) return no("CAPTURE_EXCEEDS_AUTHORIZED");
  if (state === "CAPTURED") {
    const same = wanted.minorUnits === transaction.capturedMinor;
    return same ? ok(transaction) : no("GATEWAY_ALREADY_CAPTURED");
  }
  return ok({ ...transaction, state: "CAPTURED", capturedMinor: wanted.minorUnits });
}

/**
 * Gives an authorisation up. What was captured stays captured: the caller reads that from the answer and refunds.
 * An authorisation that is late by its behaviour comes back even so; that is what it is for.
 */
export function decideVoid(transaction: Transaction): Decision {
  const { state, upcoming } = transaction;
  if (state !== "PENDING" && state !== "AUTHORIZED") return ok(transaction);
  return ok({
    ...transaction,
    state: "VOIDED",
    upcoming: upcoming === "EVEN_IF_VOIDED" ? upcoming : "NONE",
  });
}

/** Gives back what was captured, in parts of any size. Without an amount: all that is left. */
export function decideRefund(transaction: Transaction, amount: Money | undefined): Decision {
  const { order, capturedMinor, refundedMinor } = transaction;
  const leftMinor = capturedMinor - refundedMinor;
  if (order === null || leftMinor === 0n) return no("REFUND_EXCEEDS_CAPTURED");
  if (amount !== undefined && amount.currencyCode !== order.amount.currencyCode) {
    return no("CURRENCY_MISMATCH");
  }
  const wantedMinor = amount?.minorUnits ?? leftMinor;
  if (wantedMinor > leftMinor) return no("REFUND_EXCEEDS_CAPTURED");
  return ok({ ...transaction, refundedMinor: refundedMinor + wantedMinor });
}

/** The same by the provider itself. It is kept apart, so that the merchant can tell it from its own refunds. */
export function decideProviderRefund(
  transaction: Transaction,
  amount: Money | undefined,
  key: string,
): Decision {
  const known = transaction.providerRefunds ?? [];
  const decision = decideRefund(transaction, amount);
  if (!decision.ok) return decision;
  if (known.length >= PROVIDER_REFUNDS_MAX) return no("GATEWAY_DECLINED");
  const minorUnits = decision.value.refundedMinor - transaction.refundedMinor;
  return ok({ ...decision.value, providerRefunds: [...known, { key, minorUnits }] });
}

/** Whether a repeated Authorize asks for the same thing as the first. */
export function isSameOrder(a: Order, b: Order): boolean {
  return (
    a.merchantReference === b.merchantReference &&
    a.amount.currencyCode === b.amount.currencyCode &&
    a.amount.minorUnits === b.amount.minorUnits
  );
}

/** What a new row of the book begins with. */
export interface Beginning {
  readonly authorizationKey: string;
  readonly gatewayReference: string;
  readonly now: Date;
}

/** An authorisation as its behaviour lets it begin. */
export function newTransaction(
  beginning: Beginning,
  order: Order,
  opening: Pick<Transaction, "state" | "upcoming" | "dropsAnswers" | "declineReason">,
): Transaction {
  return {
    ...blank(beginning),
    ...opening,
    order,
    authorizeTime: opening.state === "AUTHORIZED" ? beginning.now : null,
  };
}

/** What a void of a key that was never seen leaves: its Authorize, when it comes, finds itself voided for good. */
export function newTombstone(beginning: Beginning): Transaction {
  return blank(beginning);
}

function blank({ authorizationKey, gatewayReference, now }: Beginning): Transaction {
  return {
    authorizationKey,
    gatewayReference,
    order: null,
    state: "VOIDED",
    capturedMinor: 0n,
    refundedMinor: 0n,
    declineReason: "",
    upcoming: "NONE",
    dropsAnswers: false,
    authorizeTime: null,
    createTime: now,
    updateTime: now,
    version: 1n,
  };
}
