import type { Scope } from "#kit/pure/scope.ts";
import { refuseField } from "#kit/refusal.ts";
import type { TransferRequest } from "../domain/request.ts";
import type { Transfer } from "../domain/transfer.ts";
import type { AccountDeps, TransferInput } from "./ports.ts";
import { accepted, checkAmount, checkTransactionId } from "./refuse.ts";

/** A transfer with the balance of the account that was named first. */
export interface TransferAnswer {
  readonly transfer: Transfer;
  /** Null on system accounts, which take increments in any order. */
  readonly balanceAfter: bigint | null;
}

/** What Debit and Credit have in common: the same posting with the sides exchanged. */
export async function postTransfer(
  deps: AccountDeps,
  scope: Scope,
  input: TransferInput,
  legs: Pick<TransferRequest, "purpose" | "sourceAccountId" | "destinationAccountId">,
): Promise<Transfer> {
  checkAmount(input.amount);
  checkTransactionId(input.transactionId);
  if (legs.sourceAccountId === legs.destinationAccountId) {
    throw refuseField("counter_account_id", "must be another account");
  }
  const outcome = await deps.ledger.submit({
    kind: "TRANSFER",
    tenant: scope.tenant,
    id: input.transactionId,
    amount: input.amount,
    reference: input.reference,
    ...legs,
  });
  const { transfer } = accepted(outcome);
  if (transfer === undefined) throw new Error("a posted transfer was not answered");
  return transfer;
}
