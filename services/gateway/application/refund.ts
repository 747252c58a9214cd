import type { Scope } from "#kit/pure/scope.ts";
import { decideRefund, type Transaction } from "../domain/transaction.ts";
import type { AmountInput } from "./capture.ts";
import type { GatewayDeps } from "./deps.ts";
import { operate } from "./operate.ts";

/** Gives captured money back, in whole or in part; racing parts never exceed what was captured. */
export function refund(deps: GatewayDeps, scope: Scope, input: AmountInput): Promise<Transaction> {
  const operation = { ...input, kind: "REFUND", amount: input.amount ?? null } as const;
  return operate(deps, scope, operation, {
    decide: (transaction) => decideRefund(transaction, input.amount),
  });
}
