import type { Money } from "#kit/pure/money.ts";
import type { DeclineFacts, Hold, Transfer } from "./transfer.ts";

/** Moves an amount between two accounts; `id` is the idempotency key. */
export interface TransferRequest {
  readonly kind: "TRANSFER";
  readonly tenant: string;
  readonly id: string;
  readonly purpose: "DEBIT" | "CREDIT";
  readonly sourceAccountId: string;
  readonly destinationAccountId: string;
  readonly amount: Money;
  readonly reference: string;
}

/** Sets an amount of a customer account aside; `id` is the idempotency key. */
export interface PlaceHoldRequest {
  readonly kind: "PLACE_HOLD";
  readonly tenant: string;
  readonly id: string;
  readonly accountId: string;
  readonly destinationAccountId: string;
  readonly amount: Money;
  readonly reference: string;
}

/** Posts a hold, in whole (`amount` null) or in part; `id` is the transfer's and the idempotency key. */
export interface CaptureHoldRequest {
  readonly kind: "CAPTURE_HOLD";
  readonly tenant: string;
  readonly id: string;
  readonly holdId: string;
  readonly amount: Money | null;
}

/** Frees a hold, or leaves a tombstone. */
export interface ReleaseHoldRequest {
  readonly kind: "RELEASE_HOLD";
  readonly tenant: string;
  readonly holdId: string;
}

/** Undoes a transfer by an opposite one named `reversalId`, or leaves a tombstone. */
export interface ReverseRequest {
  readonly kind: "REVERSE";
  readonly tenant: string;
  readonly id: string;
  readonly reversalId: string;
  readonly reference: string;
}

/** Opens a customer account with money from funding, past the cap of requests. For seeds only. */
export interface OpeningRequest {
  readonly kind: "OPENING";
  readonly tenant: string;
  readonly id: string;
  readonly accountId: string;
  readonly ownerId: string;
  readonly amount: Money;
}

/** Everything the group commit decides. */
export type LedgerRequest =
  | TransferRequest
  | PlaceHoldRequest
  | CaptureHoldRequest
  | ReleaseHoldRequest
  | ReverseRequest
  | OpeningRequest;

/** What a request came to. A refusal here is final: every repeat gets the same. */
export type LedgerOutcome =
  | {
      readonly ok: true;
      readonly transfer?: Transfer;
      readonly hold?: Hold;
      readonly reversal?: Transfer;
    }
  | { readonly ok: false; readonly reason: string; readonly facts: DeclineFacts };

/**
 * What makes two requests under one id the same movement of money. The free-text reference is left out:
 * a retry by newer code with another wording must still be answered with the first outcome.
 */
export function contentOf(
  request: TransferRequest | PlaceHoldRequest | CaptureHoldRequest,
): string {
  switch (request.kind) {
    case "TRANSFER":
      return [
        request.purpose,
        request.sourceAccountId,
        request.destinationAccountId,
        ...moneyParts(request.amount),
      ].join("|");
    case "PLACE_HOLD":
      return [
        "HOLD",
        request.accountId,
        request.destinationAccountId,
        ...moneyParts(request.amount),
      ].join("|");
    case "CAPTURE_HOLD":
      return [
        "CAPTURE",
        request.holdId,
        ...(request.amount === null ? ["ALL"] : moneyParts(request.amount)),
      ].join("|");
  }
}

function moneyParts(amount: Money): [string, string] {
  return [amount.currencyCode, amount.minorUnits.toString()];
}
