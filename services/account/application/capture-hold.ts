import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { Hold, Transfer } from "../domain/transfer.ts";
import type { AccountDeps } from "./ports.ts";
import { accepted, checkAmount, checkTransactionId } from "./refuse.ts";

/** What CaptureHold asks for; `amount` null means all that is held. */
export interface CaptureHoldInput {
  readonly holdId: string;
  readonly transactionId: string;
  readonly amount: Money | null;
}

/** Posts a hold once, in whole or in part; the rest is free again. */
export async function captureHold(
  deps: AccountDeps,
  scope: Scope,
  input: CaptureHoldInput,
): Promise<{ readonly hold: Hold; readonly transfer: Transfer }> {
  if (input.amount !== null) checkAmount(input.amount);
  checkTransactionId(input.transactionId);
  const outcome = await deps.ledger.submit({
    kind: "CAPTURE_HOLD",
    tenant: scope.tenant,
    id: input.transactionId,
    holdId: input.holdId,
    amount: input.amount,
  });
  const { hold, transfer } = accepted(outcome);
  if (hold === undefined || transfer === undefined) throw new Error("a capture was not answered");
  return { hold, transfer };
}
