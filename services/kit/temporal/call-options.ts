import type { CallOptions } from "@connectrpc/connect";
import { Context } from "@temporalio/activity";
import { onBehalfOf } from "../rpc/client.ts";

/** Share of an activity's time that a peer call may use, so that its error still reaches the workflow. */
const SHARE = 0.9;
/** Longest single peer call inside an activity, in milliseconds. */
const CALL_TIMEOUT_MAX_MS = 5_000;

/** Call options for a peer call inside an activity: its tenant, less than its time, and its cancellation. */
export function activityCall(tenant: string): CallOptions {
  const { info, cancellationSignal } = Context.current();
  const timeoutMs = Math.min(CALL_TIMEOUT_MAX_MS, Math.floor(info.startToCloseTimeoutMs * SHARE));
  return onBehalfOf({ tenant }, { timeoutMs, signal: cancellationSignal });
}
