import type { ServiceImpl } from "@connectrpc/connect";
import type { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { GatewayDeps } from "../application/deps.ts";
import { refund } from "../application/refund.ts";
import { fromMoneyMessage, toTransactionMessage } from "./mapping.ts";

export function refundRpc(deps: GatewayDeps): ServiceImpl<typeof GatewayService>["refund"] {
  return async (request, context) => {
    const { idempotencyKey: key, authorizationKey, byProvider } = request;
    const amount = request.amount && fromMoneyMessage(request.amount);
    const input = { key, authorizationKey, amount, byProvider };
    const transaction = await refund(deps, scopeOf(context), input);
    return { transaction: toTransactionMessage(transaction) };
  };
}
