import { requestsRetention } from "#kit/idempotency/request.ts";
import type { Retention } from "#kit/mongo/retention.ts";
import type { NotificationRetention } from "../domain/retention.ts";

/** What still has to be sent is never in it. */
export function notificationRetention(kept: NotificationRetention): readonly Retention[] {
  const keptMs = kept.messagesKeptMs;
  return [
    requestsRetention(kept.requestsKeptMs),
    {
      collection: "notifications",
      field: "createTime",
      keptMs,
      where: { status: { $in: ["SENT", "FAILED"] } },
    },
    { collection: "webhook_deliveries", field: "updateTime", keptMs, where: { state: "DEAD" } },
    { collection: "webhook_sequences", field: "updateTime", keptMs },
    { collection: "inbox", field: "receiveTime", keptMs: kept.inboxKeptMs },
  ];
}
