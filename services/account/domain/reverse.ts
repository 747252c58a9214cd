import type { Book } from "./book.ts";
import { isDecline, judgeMove, postMove } from "./move.ts";
import type { LedgerOutcome, ReverseRequest } from "./request.ts";
import { emptyTransfer, type Transfer } from "./transfer.ts";

/**
 * Undoes a transfer once. One that was never seen is buried, so that it can never land; one that was declined
 * moved nothing and stays as it is. A frozen account may be made to give back: a reversal is no new debit.
 */
export function decideReverse(book: Book, request: ReverseRequest): LedgerOutcome {
  const { tenant } = request;
  const transfer = book.transfer(tenant, request.id);
  if (transfer === undefined) {
    const tombstone = emptyTransfer(tenant, request.id, book.now);
    return { ok: true, transfer: book.putTransfer(tombstone) };
  }
  if (transfer.state !== "POSTED") return { ok: true, transfer };
  const known = book.transfer(tenant, request.reversalId);
  if (known !== undefined) {
    if (known.state === "POSTED") return { ok: true, transfer, reversal: known };
    return { ok: false, reason: known.reason, facts: known.facts };
  }
  return reversePosted(book, request, transfer);
}

function reversePosted(book: Book, request: ReverseRequest, transfer: Transfer): LedgerOutcome {
  const amount = { currencyCode: transfer.currencyCode, minorUnits: transfer.amount };
  const asked: Transfer = {
    ...emptyTransfer(request.tenant, request.reversalId, book.now),
    kind: "REVERSAL",
    content: `REVERSAL|${transfer.id}`,
    sourceAccountId: transfer.destinationAccountId,
    destinationAccountId: transfer.sourceAccountId,
    currencyCode: amount.currencyCode,
    amount: amount.minorUnits,
    reference: request.reference,
    reverses: transfer.id,
  };
  const judged = judgeMove(book, { ...asked, amount, fromHold: 0n, evenIfFrozen: true });
  if (isDecline(judged)) {
    book.putTransfer({ ...asked, state: "DECLINED", ...judged });
    return { ok: false, ...judged };
  }
  const posted = postMove(book, judged, amount, 0n);
  return { ok: true, transfer, reversal: book.putTransfer({ ...asked, ...posted }) };
}
