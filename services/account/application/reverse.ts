import type { Scope } from "#kit/pure/scope.ts";
import type { Transfer } from "../domain/transfer.ts";
import type { AccountDeps } from "./ports.ts";
import { accepted, checkTransactionId } from "./refuse.ts";
import { reversalIdOf } from "./reversal-id.ts";

/** A transfer after Reverse, with the posting that undid it when there was anything to undo. */
export interface ReverseAnswer {
  readonly transfer: Transfer;
  readonly reversal: Transfer | undefined;
}

/** Undoes a transfer once, or buries one that was never seen. A declined reversal stays declined. */
export async function reverse(
  deps: AccountDeps,
  scope: Scope,
  input: { readonly transactionId: string; readonly reason: string },
): Promise<ReverseAnswer> {
  checkTransactionId(input.transactionId);
  const outcome = await deps.ledger.submit({
    kind: "REVERSE",
    tenant: scope.tenant,
    id: input.transactionId,
    reversalId: reversalIdOf(input.transactionId),
    reference: input.reason,
  });
  const { transfer, reversal } = accepted(outcome);
  if (transfer === undefined) throw new Error("a reversed transfer was not answered");
  return { transfer, reversal };
}
