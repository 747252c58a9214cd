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
  ENDPOINT_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such webhook endpoint; look it up with ListEndpoints.",
  },
  DELIVERY_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such delivery; look it up with ListDeliveries.",
  },
  WEBHOOK_URL_REFUSED: {
    status: "INVALID_ARGUMENT",
    retryable: false,
    message:
      "The endpoint's URL is not one that events are sent to; take https on a public address.",
  },
  ENDPOINT_DISABLED: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "The webhook endpoint is disabled; enable it with UpdateEndpoint, then send again.",
  },
  TOO_MANY_ENDPOINTS: {
    status: "FAILED_PRECONDITION",
    retryable: false,
    message: "There are as many webhook endpoints as there may be; delete one.",
  },
} as const satisfies ReasonTable;
