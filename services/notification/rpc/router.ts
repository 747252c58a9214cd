import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import type { NotificationDeps } from "../application/deps.ts";
import { createEndpoint } from "./create-endpoint.ts";
import { deleteEndpoint } from "./delete-endpoint.ts";
import type { WebhookRpcDeps } from "./deps.ts";
import { get } from "./get.ts";
import { getEndpoint } from "./get-endpoint.ts";
import { list } from "./list.ts";
import { listDeliveries } from "./list-deliveries.ts";
import { listEndpoints } from "./list-endpoints.ts";
import { redeliver } from "./redeliver.ts";
import { rotateSecret } from "./rotate-secret.ts";
import { send } from "./send.ts";
import { updateEndpoint } from "./update-endpoint.ts";

/** Handlers of NotificationService, by RPC. */
export type NotificationHandlers = ServiceImpl<typeof NotificationService>;

/** Registers NotificationService. */
export function notificationRoutes(deps: NotificationDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(NotificationService, { ...send(deps), ...get(deps), ...list(deps) });
  };
}

/** Registers WebhookService. */
export function webhookRoutes(deps: WebhookRpcDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(WebhookService, {
      ...createEndpoint(deps),
      ...getEndpoint(deps),
      ...listEndpoints(deps),
      ...updateEndpoint(deps),
      ...deleteEndpoint(deps),
      ...rotateSecret(deps),
      ...listDeliveries(deps),
      ...redeliver(deps),
    });
  };
}
