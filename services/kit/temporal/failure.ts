import { ConnectError } from "@connectrpc/connect";
import { ApplicationFailure } from "@temporalio/common";
import { metadataOf, reasonOf } from "../rpc/errors.ts";

/**
 * Turns a peer's error into an activity failure whose type is the reason. It is always repeated: what a refusal means
 * is known only to the activity that asked, and it answers a definite one as a value (unknown is not failed).
 */
export function toActivityFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const reason = reasonOf(error);
  const message = error instanceof ConnectError ? error.rawMessage : String(error);
  return ApplicationFailure.create({
    type: reason ?? "UNKNOWN_OUTCOME",
    message,
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
