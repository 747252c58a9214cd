import type { Scope } from "#kit/pure/scope.ts";
import { decideProviderRefund, decideRefund, type Transaction } from "../domain/transaction.ts";
import type { AmountInput } from "./capture.ts";
import type { GatewayDeps } from "./deps.ts";
import { operate } from "./operate.ts";

/** Gives captured money back, in whole or in part; racing parts never exceed what was captured. */
export function refund(
  deps: GatewayDeps,
  scope: Scope,
  input: AmountInput & { readonly byProvider: boolean },
): Promise<Transaction> {
  const { key, authorizationKey, amount, byProvider } = input;
  const operation = { key, authorizationKey, kind: "REFUND", amount: amount ?? null } as const;
  if (!byProvider) {
    const decide = (transaction: Transaction) => decideRefund(transaction, amount);
    return operate(deps, scope, operation, { decide });
  }
  return operate(
    deps,
    scope,
    { ...operation, byProvider },
    {
      decide: (transaction) => decideProviderRefund(transaction, amount, key),
      news: (before, after) => ({
        key,
        state: "REFUNDED",
        minorUnits: after.refundedMinor - before.refundedMinor,
        time: deps.now(),
      }),
    },
  );
}
