import type { Account } from "./account.ts";
import type { Book } from "./book.ts";
import { type Decline, isDecline, judgeMove, postMove } from "./move.ts";
import { repeatHold, repeatTransfer } from "./repeat.ts";
import {
  type CaptureHoldRequest,
  contentOf,
  type LedgerOutcome,
  type PlaceHoldRequest,
  type ReleaseHoldRequest,
} from "./request.ts";
import { emptyTransfer, type Hold, holdTombstone, type Transfer } from "./transfer.ts";

/** Sets the amount aside, or stores why not. */
export function decidePlaceHold(book: Book, request: PlaceHoldRequest): LedgerOutcome {
  const content = contentOf(request);
  const known = book.hold(request.tenant, request.id);
  if (known !== undefined) return repeatHold(known, content);
  const asked: Hold = {
    ...holdTombstone(request.tenant, request.id, book.now),
    content,
    accountId: request.accountId,
    destinationAccountId: request.destinationAccountId,
    currencyCode: request.amount.currencyCode,
    amount: request.amount.minorUnits,
    reference: request.reference,
  };
  const judged = judgeMove(book, {
    tenant: request.tenant,
    sourceAccountId: request.accountId,
    destinationAccountId: request.destinationAccountId,
    amount: request.amount,
    fromHold: 0n,
    evenIfFrozen: false,
  });
  if (isDecline(judged)) {
    book.putHold({ ...asked, state: "DECLINED", ...judged });
    return { ok: false, ...judged };
  }
  setHeld(book, judged.source, judged.source.held + asked.amount);
  return { ok: true, hold: book.putHold({ ...asked, state: "HELD", resolveTime: null }) };
}

/** Posts a hold in whole or in part and frees the rest, or stores under the transfer's id why not. */
export function decideCaptureHold(book: Book, request: CaptureHoldRequest): LedgerOutcome {
  const content = contentOf(request);
  const hold = book.hold(request.tenant, request.holdId);
  const known = book.transfer(request.tenant, request.id);
  if (known !== undefined) {
    const outcome = repeatTransfer(known, content);
    return outcome.ok && hold !== undefined ? { ...outcome, hold } : outcome;
  }
  const asked: Transfer = {
    ...emptyTransfer(request.tenant, request.id, book.now),
    kind: "CAPTURE",
    content,
    sourceAccountId: hold?.accountId ?? "",
    destinationAccountId: hold?.destinationAccountId ?? "",
    currencyCode: request.amount?.currencyCode ?? hold?.currencyCode ?? "",
    amount: request.amount?.minorUnits ?? hold?.amount ?? 0n,
    reference: hold?.reference ?? "",
    holdId: request.holdId,
  };
  const refuse = (decline: Decline): LedgerOutcome => {
    book.putTransfer({ ...asked, state: "DECLINED", ...decline });
    return { ok: false, ...decline };
  };
  if (hold === undefined) {
    return refuse({ reason: "HOLD_NOT_FOUND", facts: { hold_id: request.holdId } });
  }
  const mismatch = judgeCapture(hold, asked);
  if (mismatch !== undefined) return refuse(mismatch);
  const amount = { currencyCode: asked.currencyCode, minorUnits: asked.amount };
  const judged = judgeMove(book, { ...asked, amount, fromHold: hold.amount, evenIfFrozen: true });
  if (isDecline(judged)) return refuse(judged);
  const posted = postMove(book, judged, amount, hold.amount);
  const transfer = book.putTransfer({ ...asked, ...posted });
  const captured = book.putHold({
    ...hold,
    state: "CAPTURED",
    capturedAmount: asked.amount,
    transactionId: request.id,
    resolveTime: book.now,
  });
  return { ok: true, transfer, hold: captured };
}

function judgeCapture(hold: Hold, asked: Transfer): Decline | undefined {
  if (hold.state !== "HELD") return resolvedDecline(hold);
  const facts = { hold_id: hold.id };
  if (asked.currencyCode !== hold.currencyCode) return { reason: "CURRENCY_MISMATCH", facts };
  if (asked.amount > hold.amount) return { reason: "AMOUNT_EXCEEDS_HOLD", facts };
  return undefined;
}

/** Frees a hold; one that was never seen is buried, so that a late PlaceHold cannot land. */
export function decideReleaseHold(book: Book, request: ReleaseHoldRequest): LedgerOutcome {
  const hold = book.hold(request.tenant, request.holdId);
  if (hold === undefined) {
    const tombstone = holdTombstone(request.tenant, request.holdId, book.now);
    return { ok: true, hold: book.putHold(tombstone) };
  }
  if (hold.state === "CAPTURED") return { ok: false, ...resolvedDecline(hold) };
  if (hold.state !== "HELD") return { ok: true, hold };
  const account = book.account(request.tenant, hold.accountId);
  if (account === undefined) throw new Error(`hold ${hold.id} is on an account that is not there`);
  setHeld(book, account, account.held - hold.amount);
  const released = book.putHold({ ...hold, state: "RELEASED", resolveTime: book.now });
  return { ok: true, hold: released };
}

function resolvedDecline(hold: Hold): Decline {
  return { reason: "HOLD_ALREADY_RESOLVED", facts: { hold_id: hold.id, state: hold.state } };
}

function setHeld(book: Book, account: Account, held: bigint): void {
  book.putAccount({ ...account, held, updateTime: book.now });
}
