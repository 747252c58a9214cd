import { scopeOf } from "#kit/rpc/context.ts";
import type { NotificationDeps } from "../application/deps.ts";
import { getNotification } from "../application/read.ts";
import { notificationMessage } from "./mapping.ts";
import type { NotificationHandlers } from "./router.ts";

export function get(deps: NotificationDeps): Pick<NotificationHandlers, "get"> {
  return {
    async get({ notificationId }, context) {
      const stored = await getNotification(deps, scopeOf(context), notificationId);
      return { notification: notificationMessage(stored) };
    },
  };
}
