import { ConnectError } from "@connectrpc/connect";
import { ApplicationFailure } from "@temporalio/common";
import { isRetryable, metadataOf, reasonOf } from "../rpc/errors.ts";

/**
 * Turns a peer's error into an activity failure: its type is the reason, so that the workflow can branch on it;
 * a definite refusal is not retried, an unknown outcome is (unknown is not failed).
 */
export function toActivityFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const reason = reasonOf(error);
  const message = error instanceof ConnectError ? error.rawMessage : String(error);
  return ApplicationFailure.create({
    type: reason ?? "UNKNOWN_OUTCOME",
    message,
    nonRetryable: !isRetryable(error),
    details: [metadataOf(error)],
    ...(error instanceof Error ? { cause: error } : {}),
  });
}

/** Runs a peer call inside an activity. */
export async function callPeer<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toActivityFailure(error);
  }
}
