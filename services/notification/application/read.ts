import { pageSize, pageToken, readPageToken } from "#kit/page.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Notification, Status } from "../domain/notification.ts";
import type { NotificationDeps } from "./deps.ts";

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
export interface ListOptions {
  readonly pageSize: number;
  readonly pageToken: string;
  /** Undefined means all. */
  readonly paymentId: string | undefined;
  readonly status: Status | undefined;
}

/** A page of messages. */
export interface NotificationPage {
  readonly notifications: readonly Notification[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** Lists messages, newest first. Fails with INVALID_PAGE_TOKEN. */
export async function listNotifications(
  deps: NotificationDeps,
  scope: Scope,
  options: ListOptions,
): Promise<NotificationPage> {
  const { paymentId, status } = options;
  const filter = { tenant: scope.tenant, paymentId: paymentId ?? null, status: status ?? null };
  const size = pageSize(options.pageSize);
  const [timeMs, lastId] = readPageToken(options.pageToken, filter, 2) ?? [];
  const after =
    timeMs === undefined || lastId === undefined
      ? undefined
      : { createTime: new Date(Number(timeMs)), id: lastId };
  const rows = await deps.store.list(scope, { paymentId, status, limit: size + 1, after });
  const notifications = rows.slice(0, size);
  const last = notifications.at(-1);
  if (rows.length <= size || last === undefined) return { notifications, nextPageToken: "" };
  const position = [`${last.createTime.getTime()}`, last.id];
  return { notifications, nextPageToken: pageToken(filter, position) };
}
