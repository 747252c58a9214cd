import type { ReasonTable } from "#kit/pure/reasons.ts";

/** Everything Notification refuses with, besides the common reasons. */
export const notificationReasons = {
  NOTIFICATION_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such notification; look it up with List.",
  },
  NOTIFICATION_ID_REUSED: {
    status: "ALREADY_EXISTS",
    retryable: false,
    message: "The notification_id was used for another message; take a new one.",
  },
} as const satisfies ReasonTable;
