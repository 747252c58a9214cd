import type { Money } from "#kit/pure/money.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { decideCapture, type Transaction } from "../domain/transaction.ts";
import type { GatewayDeps } from "./deps.ts";
import { operate } from "./operate.ts";

/** A call of Capture or Refund; without an amount it is about all there is. */
export interface AmountInput {
  readonly key: string;
  readonly authorizationKey: string;
  readonly amount: Money | undefined;
}

/** Takes the authorised amount or a part of it, once. */
export function capture(deps: GatewayDeps, scope: Scope, input: AmountInput): Promise<Transaction> {
  const operation = { ...input, kind: "CAPTURE", amount: input.amount ?? null } as const;
  return operate(deps, scope, operation, {
    decide: (transaction) => decideCapture(transaction, input.amount),
  });
}
