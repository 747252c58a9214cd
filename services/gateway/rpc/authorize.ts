import type { ServiceImpl } from "@connectrpc/connect";
import type { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { authorize } from "../application/authorize.ts";
import type { GatewayDeps } from "../application/deps.ts";
import { fromMoneyMessage, fromPaymentMethod, toTransactionMessage } from "./mapping.ts";

export function authorizeRpc(deps: GatewayDeps): ServiceImpl<typeof GatewayService>["authorize"] {
  return async (request, context) => {
    const { idempotencyKey: authorizationKey, merchantReference } = request;
    const order = { merchantReference, amount: fromMoneyMessage(request.amount) };
    const method = fromPaymentMethod(request.paymentMethod, deps.config);
    const input = { authorizationKey, order, method };
    const transaction = await authorize(deps, scopeOf(context), input, context.signal);
    return { transaction: toTransactionMessage(transaction) };
  };
}
