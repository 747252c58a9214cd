import type { Scope } from "#kit/pure/scope.ts";
import { fundingAccountId } from "../domain/account.ts";
import type { AccountDeps, TransferInput } from "./ports.ts";
import { postTransfer, type TransferAnswer } from "./post-transfer.ts";

/** Moves an amount from the account to its counter-account. */
export async function debit(
  deps: AccountDeps,
  scope: Scope,
  input: TransferInput,
): Promise<TransferAnswer> {
  const counter = input.counterAccountId || fundingAccountId(input.amount.currencyCode);
  const transfer = await postTransfer(deps, scope, input, {
    purpose: "DEBIT",
    sourceAccountId: input.accountId,
    destinationAccountId: counter,
  });
  return { transfer, balanceAfter: transfer.sourceBalanceAfter };
}
