import { equalTo, type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Notification, Status } from "../domain/notification.ts";
import type { NotificationDeps } from "./deps.ts";
import { NOTIFICATION_LIST } from "./lists.ts";

/** Reads one message. Fails with NOTIFICATION_NOT_FOUND. */
export async function getNotification(
  deps: NotificationDeps,
  scope: Scope,
  id: string,
): Promise<Notification> {
  const notification = await deps.store.find(scope, id);
  if (notification !== undefined) return notification;
  throw new Refusal("NOTIFICATION_NOT_FOUND", {
    message: `There is no notification ${id}; look it up with List.`,
    metadata: { notification_id: id },
  });
}

/** What to list. */
export interface ListOptions extends ListRequest {
  /** Undefined means all. */
  readonly paymentId: string | undefined;
  readonly status: Status | undefined;
}

/** Lists messages, newest first. Fails with INVALID_PAGE_TOKEN, and INVALID_FIELD for a filter or order it does not know. */
export async function listNotifications(
  deps: NotificationDeps,
  scope: Scope,
  options: ListOptions,
): Promise<ListPage<Notification>> {
  const { paymentId, status } = options;
  return readList(NOTIFICATION_LIST, scope, options, {
    fixed: equalTo({ payment_id: paymentId, status }),
    find: (query) => deps.store.list(scope, query),
    positionOf: ({ createTime, id }) => [createTime, id],
  });
}
