import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { refuseField } from "#kit/refusal.ts";
import { isReservedId } from "../domain/account.ts";
import type { Hold } from "../domain/transfer.ts";
import type { AccountDeps } from "./ports.ts";
import { accepted, checkAmount } from "./refuse.ts";

/** What PlaceHold asks for. */
export interface PlaceHoldInput {
  readonly holdId: string;
  readonly accountId: string;
  readonly destinationAccountId: string;
  readonly amount: Money;
  readonly reference: string;
}

/** Sets an amount of a customer account aside. A repeat is answered with the hold as it is now. */
export async function placeHold(
  deps: AccountDeps,
  scope: Scope,
  input: PlaceHoldInput,
): Promise<Hold> {
  checkAmount(input.amount);
  if (isReservedId(input.accountId)) {
    throw refuseField("account_id", "holds are placed on customer accounts only");
  }
  if (input.accountId === input.destinationAccountId) {
    throw refuseField("destination_account_id", "must be another account");
  }
  const { holdId, ...asked } = input;
  const outcome = await deps.ledger.submit({
    kind: "PLACE_HOLD",
    tenant: scope.tenant,
    id: holdId,
    ...asked,
  });
  const { hold } = accepted(outcome);
  if (hold === undefined) throw new Error("a placed hold was not answered");
  return hold;
}
