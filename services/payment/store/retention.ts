import { requestsRetention } from "#kit/idempotency/request.ts";
import type { Retention } from "#kit/mongo/retention.ts";
import type { PaymentRetention } from "../domain/retention.ts";

/** Payments, refunds and what is not done yet are never in it. */
export function paymentRetention(kept: PaymentRetention): readonly Retention[] {
  return [
    requestsRetention(kept.requestsKeptMs),
    {
      collection: "callbacks",
      field: "updateTime",
      keptMs: kept.callbacksKeptMs,
      where: { state: "DONE" },
    },
    {
      collection: "tasks",
      field: "closeTime",
      keptMs: kept.tasksKeptMs,
      where: { state: "CLOSED" },
    },
  ];
}
