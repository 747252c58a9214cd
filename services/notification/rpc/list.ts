import { scopeOf } from "#kit/rpc/context.ts";
import type { NotificationDeps } from "../application/deps.ts";
import { listNotifications } from "../application/read.ts";
import { notificationMessage, toStatus } from "./mapping.ts";
import type { NotificationHandlers } from "./router.ts";

export function list(deps: NotificationDeps): Pick<NotificationHandlers, "list"> {
  return {
    async list(request, context) {
      const { paymentId, status } = request;
      const page = await listNotifications(deps, scopeOf(context), {
        ...request,
        paymentId: paymentId === "" ? undefined : paymentId,
        status: toStatus(status),
      });
      return {
        notifications: page.items.map(notificationMessage),
        nextPageToken: page.nextPageToken,
      };
    },
  };
}
