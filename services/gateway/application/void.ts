import { uuidv7 } from "#kit/ids.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { decideVoid, newTombstone, type Transaction } from "../domain/transaction.ts";
import type { GatewayDeps } from "./deps.ts";
import { operate } from "./operate.ts";

/** A call of Void. */
export interface VoidInput {
  readonly key: string;
  readonly authorizationKey: string;
  readonly byProvider: boolean;
}

/** Gives an authorisation up; one that was never seen gets a tombstone. CAPTURED in the answer means: refund it. */
export function voidAuthorization(
  deps: GatewayDeps,
  scope: Scope,
  input: VoidInput,
): Promise<Transaction> {
  const { key, authorizationKey, byProvider } = input;
  return operate(
    deps,
    scope,
    { key, authorizationKey, kind: "VOID", amount: null, ...(byProvider && { byProvider }) },
    {
      ...(byProvider && {
        news: ({ order }) => ({
          key,
          state: "VOIDED",
          minorUnits: order?.amount.minorUnits ?? 0n,
          time: deps.now(),
        }),
      }),
      decide: decideVoid,
      whenUnseen: () => {
        const now = deps.now();
        const gatewayReference = `gw_${uuidv7(now.getTime())}`;
        return newTombstone({ authorizationKey, gatewayReference, now });
      },
    },
  );
}
