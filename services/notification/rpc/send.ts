import { scopeOf } from "#kit/rpc/context.ts";
import type { NotificationDeps } from "../application/deps.ts";
import { send as storeMessage } from "../application/send.ts";
import { notificationMessage, toContent } from "./mapping.ts";
import type { NotificationHandlers } from "./router.ts";

export function send(deps: NotificationDeps): Pick<NotificationHandlers, "send"> {
  return {
    async send(request, context) {
      const { notificationId } = request;
      const content = toContent(request);
      const stored = await storeMessage(deps, scopeOf(context), notificationId, content);
      return { notification: notificationMessage(stored) };
    },
  };
}
