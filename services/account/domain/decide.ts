import { fitsInt64, INT64_MAX } from "#kit/pure/money.ts";
import { fundingAccountId, isReservedId, openAccount } from "./account.ts";
import type { Book } from "./book.ts";
import { decideCaptureHold, decidePlaceHold, decideReleaseHold } from "./hold.ts";
import { isDecline, judgeMove, postMove } from "./move.ts";
import { repeatTransfer } from "./repeat.ts";
import {
  contentOf,
  type LedgerOutcome,
  type LedgerRequest,
  type OpeningRequest,
  type TransferRequest,
} from "./request.ts";
import { decideReverse } from "./reverse.ts";
import { emptyTransfer, type Transfer } from "./transfer.ts";

/**
 * Decides one request against the book and writes what follows into it. What was decided first under an id
 * is answered to every repeat, before anything else is looked at.
 */
export function decide(book: Book, request: LedgerRequest): LedgerOutcome {
  const wall = refuseImpossible(request);
  if (wall !== undefined) return { ok: false, reason: wall, facts: {} };
  switch (request.kind) {
    case "TRANSFER":
      return decideTransfer(book, request);
    case "PLACE_HOLD":
      return decidePlaceHold(book, request);
    case "CAPTURE_HOLD":
      return decideCaptureHold(book, request);
    case "RELEASE_HOLD":
      return decideReleaseHold(book, request);
    case "REVERSE":
      return decideReverse(book, request);
    case "OPENING":
      return decideOpening(book, request);
  }
}

/**
 * Walls that the edge has already put up; never stored. A negative amount would be theft by credit, a move
 * from an account to itself would make money, and a system account has no version to guard a hold with.
 */
function refuseImpossible(request: LedgerRequest): string | undefined {
  if ("amount" in request && request.amount !== null && request.kind !== "OPENING") {
    const { minorUnits } = request.amount;
    if (minorUnits < 1n || minorUnits > INT64_MAX) return "INVALID_AMOUNT";
  }
  if (request.kind === "TRANSFER") {
    return request.sourceAccountId === request.destinationAccountId ? "INVALID_FIELD" : undefined;
  }
  if (request.kind !== "PLACE_HOLD") return undefined;
  const impossible =
    request.accountId === request.destinationAccountId || isReservedId(request.accountId);
  return impossible ? "INVALID_FIELD" : undefined;
}

function decideTransfer(book: Book, request: TransferRequest): LedgerOutcome {
  const content = contentOf(request);
  const known = book.transfer(request.tenant, request.id);
  if (known !== undefined) return repeatTransfer(known, content);
  const asked: Transfer = {
    ...emptyTransfer(request.tenant, request.id, book.now),
    kind: request.purpose,
    content,
    sourceAccountId: request.sourceAccountId,
    destinationAccountId: request.destinationAccountId,
    currencyCode: request.amount.currencyCode,
    amount: request.amount.minorUnits,
    reference: request.reference,
  };
  const judged = judgeMove(book, { ...request, fromHold: 0n, evenIfFrozen: false });
  if (isDecline(judged)) {
    book.putTransfer({ ...asked, state: "DECLINED", ...judged });
    return { ok: false, ...judged };
  }
  const posted = postMove(book, judged, request.amount, 0n);
  return { ok: true, transfer: book.putTransfer({ ...asked, ...posted }) };
}

/** An account that exists keeps what it has: an opening happens once, together with its account. */
function decideOpening(book: Book, request: OpeningRequest): LedgerOutcome {
  const { tenant, amount } = request;
  if (book.account(tenant, request.accountId) !== undefined) return { ok: true };
  if (book.transfer(tenant, request.id) !== undefined) return { ok: true };
  const account = openAccount(
    {
      tenant,
      id: request.accountId,
      kind: "CUSTOMER",
      ownerId: request.ownerId,
      currencyCode: amount.currencyCode,
    },
    book.now,
  );
  if (amount.minorUnits === 0n) {
    book.putAccount(account);
    return { ok: true };
  }
  const funding = book.account(tenant, fundingAccountId(amount.currencyCode));
  if (funding === undefined || !fitsInt64(funding.balance - amount.minorUnits)) {
    return { ok: false, reason: "BALANCE_OVERFLOW", facts: { account_id: account.id } };
  }
  const judged = { source: funding, destination: account };
  const posted = postMove(book, judged, amount, 0n);
  const transfer: Transfer = {
    ...emptyTransfer(tenant, request.id, book.now),
    kind: "OPENING",
    content: `OPENING|${account.id}`,
    reference: "opening balance",
    ...posted,
  };
  return { ok: true, transfer: book.putTransfer(transfer) };
}
