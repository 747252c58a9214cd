import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import type { NotificationDeps } from "../application/deps.ts";
import { get } from "./get.ts";
import { list } from "./list.ts";
import { send } from "./send.ts";

/** Handlers of NotificationService, by RPC. */
export type NotificationHandlers = ServiceImpl<typeof NotificationService>;

/** Registers NotificationService. */
export function notificationRoutes(deps: NotificationDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(NotificationService, { ...send(deps), ...get(deps), ...list(deps) });
  };
}
