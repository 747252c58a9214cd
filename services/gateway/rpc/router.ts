import type { ConnectRouter } from "@connectrpc/connect";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import type { GatewayDeps } from "../application/deps.ts";
import { authorizeRpc } from "./authorize.ts";
import { captureRpc } from "./capture.ts";
import { getTransactionRpc } from "./get-transaction.ts";
import { listTransactionsRpc } from "./list-transactions.ts";
import { refundRpc } from "./refund.ts";
import { voidRpc } from "./void.ts";

/** Registers the handlers of GatewayService. */
export function gatewayRoutes(deps: GatewayDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(GatewayService, {
      authorize: authorizeRpc(deps),
      capture: captureRpc(deps),
      void: voidRpc(deps),
      refund: refundRpc(deps),
      getTransaction: getTransactionRpc(deps),
      listTransactions: listTransactionsRpc(deps),
    });
  };
}
