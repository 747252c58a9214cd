import type { ServiceImpl } from "@connectrpc/connect";
import type { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { GatewayDeps } from "../application/deps.ts";
import { readBookPage } from "../application/read-transactions.ts";
import { toTransactionMessage } from "./mapping.ts";

export function listTransactionsRpc(
  deps: GatewayDeps,
): ServiceImpl<typeof GatewayService>["listTransactions"] {
  return async (request, context) => {
    const page = await readBookPage(deps, scopeOf(context), request);
    return {
      transactions: page.items.map(toTransactionMessage),
      nextPageToken: page.nextPageToken,
    };
  };
}
