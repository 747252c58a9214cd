import type { LedgerOutcome } from "./request.ts";
import type { Hold, Transfer } from "./transfer.ts";

/** The stored outcome of a transfer id, or why this request cannot have it. */
export function repeatTransfer(known: Transfer, content: string): LedgerOutcome {
  if (known.state === "TOMBSTONED") {
    return { ok: false, reason: "TRANSACTION_REVERSED", facts: { transaction_id: known.id } };
  }
  if (known.content !== content) {
    return { ok: false, reason: "TRANSACTION_ID_REUSED", facts: { transaction_id: known.id } };
  }
  if (known.state === "DECLINED") return { ok: false, reason: known.reason, facts: known.facts };
  return { ok: true, transfer: known };
}

/** The stored outcome of a hold id, or why this request cannot have it. */
export function repeatHold(known: Hold, content: string): LedgerOutcome {
  if (known.state === "TOMBSTONED") {
    return { ok: false, reason: "TRANSACTION_REVERSED", facts: { hold_id: known.id } };
  }
  if (known.content !== content) {
    return { ok: false, reason: "TRANSACTION_ID_REUSED", facts: { hold_id: known.id } };
  }
  if (known.state === "DECLINED") return { ok: false, reason: known.reason, facts: known.facts };
  return { ok: true, hold: known };
}
