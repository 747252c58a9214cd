import type { ServiceImpl } from "@connectrpc/connect";
import type { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { GatewayDeps } from "../application/deps.ts";
import { voidAuthorization } from "../application/void.ts";
import { toTransactionMessage } from "./mapping.ts";

export function voidRpc(deps: GatewayDeps): ServiceImpl<typeof GatewayService>["void"] {
  return async (request, context) => {
    const { idempotencyKey: key, authorizationKey, byProvider } = request;
    const input = { key, authorizationKey, byProvider };
    const transaction = await voidAuthorization(deps, scopeOf(context), input);
    return { transaction: toTransactionMessage(transaction) };
  };
}
