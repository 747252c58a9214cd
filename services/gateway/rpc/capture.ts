import type { ServiceImpl } from "@connectrpc/connect";
import type { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { capture } from "../application/capture.ts";
import type { GatewayDeps } from "../application/deps.ts";
import { fromMoneyMessage, toTransactionMessage } from "./mapping.ts";

export function captureRpc(deps: GatewayDeps): ServiceImpl<typeof GatewayService>["capture"] {
  return async (request, context) => {
    const { idempotencyKey: key, authorizationKey } = request;
    const amount = request.amount && fromMoneyMessage(request.amount);
    const input = { key, authorizationKey, amount };
    const transaction = await capture(deps, scopeOf(context), input);
    return { transaction: toTransactionMessage(transaction) };
  };
}
