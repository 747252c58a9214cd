import type { Money } from "#kit/pure/money.ts";
import { mayUse, type Scope } from "#kit/pure/scope.ts";
import { refuseField } from "#kit/refusal.ts";
import { accountNotFound } from "./create-payment.ts";
import type { PaymentDeps } from "./deps.ts";

/** A payer and a bare number, as the source system's `POST /payment` has them. */
export interface PlainAmount {
  readonly accountId: string;
  readonly userId: string;
  readonly amountMinorUnits?: bigint | undefined;
}

/**
 * A bare number of minor units in the currency of the account that pays. Fails with ACCOUNT_NOT_FOUND, and refuses a
 * user whose accounts leave the currency open.
 */
export async function plainAmount(
  deps: PaymentDeps,
  scope: Scope,
  request: PlainAmount,
): Promise<Money> {
  const minorUnits = request.amountMinorUnits ?? 0n;
  const { accountId, userId } = request;
  if (accountId !== "") {
    if (!mayUse(scope, accountId)) throw accountNotFound(accountId);
    return { currencyCode: await deps.peers.currencyOf(scope, accountId), minorUnits };
  }
  const accounts = await deps.peers.accountsOf(scope, userId);
  const own = accounts.filter((account) => mayUse(scope, account.accountId));
  const [account, ...others] = own;
  if (account !== undefined && others.length === 0) {
    return { currencyCode: account.currencyCode, minorUnits };
  }
  throw refuseField(
    "amount",
    `user ${userId} has ${own.length} accounts, so a bare number says no currency; ` +
      'send {"currency_code", "minor_units"}',
  );
}
