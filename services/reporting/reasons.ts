import type { ReasonTable } from "#kit/pure/reasons.ts";

/** Why Reporting refuses. */
export const reportingReasons = {
  GATEWAY_UNAVAILABLE: {
    status: "UNAVAILABLE",
    retryable: true,
    message: "The provider does not answer, so its book cannot be compared; retry.",
  },
  SNAPSHOT_LOST: {
    status: "UNAVAILABLE",
    retryable: true,
    message:
      "The database gave the snapshot up before the audit was through; retry, or raise MongoDB's minSnapshotHistoryWindowInSeconds (300).",
  },
} as const satisfies ReasonTable;
