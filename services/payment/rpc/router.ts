import type { ConnectRouter } from "@connectrpc/connect";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { handleCancel } from "./cancel.ts";
import { handleCapture } from "./capture.ts";
import { handleCloseTask } from "./close-task.ts";
import { handleCreate } from "./create.ts";
import type { PaymentRpcDeps } from "./deps.ts";
import { handleGet } from "./get.ts";
import { handleGetRefund } from "./get-refund.ts";
import { handleGetStatus } from "./get-status.ts";
import { handleGetTask } from "./get-task.ts";
import { handleList } from "./list.ts";
import { handleListRefunds } from "./list-refunds.ts";
import { handleListTasks } from "./list-tasks.ts";
import { handleReconcile } from "./reconcile.ts";
import { handleRecover } from "./recover.ts";
import { handleRefund } from "./refund.ts";
import { handleWatch } from "./watch.ts";

/** Registers every RPC of the Payment service. */
export function paymentRoutes(deps: PaymentRpcDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(PaymentService, {
      create: (request, context) => handleCreate(deps, request, context),
      get: (request, context) => handleGet(deps, request, context),
      getStatus: (request, context) => handleGetStatus(deps, request, context),
      list: (request, context) => handleList(deps, request, context),
      watch: (request, context) => handleWatch(deps, request, context),
      cancel: (request, context) => handleCancel(deps, request, context),
      capture: (request, context) => handleCapture(deps, request, context),
      refund: (request, context) => handleRefund(deps, request, context),
      getRefund: (request, context) => handleGetRefund(deps, request, context),
      listRefunds: (request, context) => handleListRefunds(deps, request, context),
      reconcile: (request, context) => handleReconcile(deps, request, context),
      listTasks: (request, context) => handleListTasks(deps, request, context),
      getTask: (request, context) => handleGetTask(deps, request, context),
      closeTask: (request, context) => handleCloseTask(deps, request, context),
      recover: (request, context) => handleRecover(deps, request, context),
    });
  };
}
