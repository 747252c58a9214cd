import { scopeOf } from "#kit/rpc/context.ts";
import { checkMessage, toMoney } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function evaluate(deps: FraudRpcDeps): Pick<FraudHandlers, "evaluate"> {
  return {
    async evaluate({ checkId, paymentId, accountId, amount }, context) {
      const subject = { paymentId, accountId, amount: toMoney(amount, "amount") };
      const check = await deps.evaluate(scopeOf(context), { checkId, subject }, context.signal);
      return { check: checkMessage(check) };
    },
  };
}
