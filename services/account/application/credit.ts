import type { Scope } from "#kit/pure/scope.ts";
import { fundingAccountId } from "../domain/account.ts";
import type { AccountDeps, TransferInput } from "./ports.ts";
import { postTransfer, type TransferAnswer } from "./post-transfer.ts";

/** Moves an amount from the counter-account to the account. */
export async function credit(
  deps: AccountDeps,
  scope: Scope,
  input: TransferInput,
): Promise<TransferAnswer> {
  const counter = input.counterAccountId || fundingAccountId(input.amount.currencyCode);
  const transfer = await postTransfer(deps, scope, input, {
    purpose: "CREDIT",
    sourceAccountId: counter,
    destinationAccountId: input.accountId,
  });
  return { transfer, balanceAfter: transfer.destinationBalanceAfter };
}
