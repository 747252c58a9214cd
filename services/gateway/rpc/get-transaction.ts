import type { ServiceImpl } from "@connectrpc/connect";
import type { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { GatewayDeps } from "../application/deps.ts";
import { getTransaction } from "../application/read-transactions.ts";
import { toTransactionMessage } from "./mapping.ts";

export function getTransactionRpc(
  deps: GatewayDeps,
): ServiceImpl<typeof GatewayService>["getTransaction"] {
  return async (request, context) => {
    const transaction = await getTransaction(deps, scopeOf(context), request.authorizationKey);
    return { transaction: toTransactionMessage(transaction) };
  };
}
