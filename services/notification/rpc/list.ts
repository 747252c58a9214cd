import { scopeOf } from "#kit/rpc/context.ts";
import type { NotificationDeps } from "../application/deps.ts";
import { listNotifications } from "../application/read.ts";
import { notificationMessage, toStatus } from "./mapping.ts";
import type { NotificationHandlers } from "./router.ts";

export function list(deps: NotificationDeps): Pick<NotificationHandlers, "list"> {
  return {
    async list({ pageSize, pageToken, paymentId, status }, context) {
      const page = await listNotifications(deps, scopeOf(context), {
        pageSize,
        pageToken,
        paymentId: paymentId === "" ? undefined : paymentId,
        status: toStatus(status),
      });
      return {
        notifications: page.notifications.map(notificationMessage),
        nextPageToken: page.nextPageToken,
      };
    },
  };
}
