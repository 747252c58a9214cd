import type { GatewayCallback } from "../contract.ts";

/** Somebody wants the payment undone. */
export interface CancelRequest {
  readonly requestId: string;
}

/** Somebody wants a payment in REQUIRES_CAPTURE settled. Amount in minor units. */
export interface CaptureRequest {
  readonly requestId: string;
  readonly amount: string;
}

/** Whether a signal's payload is a request with an id; anything else is ignored, the workflow goes on. */
export function isCancelRequest(value: unknown): value is CancelRequest {
  return hasText(value, "requestId");
}

/** Whether an update's payload is a capture of a whole positive amount. */
export function isCaptureRequest(value: unknown): value is CaptureRequest {
  return (
    hasText(value, "requestId") && hasText(value, "amount") && /^[1-9]\d{0,18}$/.test(value.amount)
  );
}

/** Whether a signal's payload is an answer of the provider. An outcome that is not known is no decline. */
export function isGatewayCallback(value: unknown): value is GatewayCallback {
  if (!hasText(value, "eventId") || !hasText(value, "outcome")) return false;
  return value.outcome === "AUTHORIZED" || value.outcome === "DECLINED";
}

/** Whether a signal's payload says when the check with this id was made. */
export function isReviewOf(value: unknown, checkId: string): value is { createTimeMs: number } {
  if (!hasText(value, "checkId") || value.checkId !== checkId) return false;
  return Number.isSafeInteger(Reflect.get(value, "createTimeMs"));
}

/** Whether a payload is an object with a non-empty string under the name. */
export function hasText<const K extends string>(
  value: unknown,
  name: K,
): value is Record<K, string> {
  if (typeof value !== "object" || value === null) return false;
  const text: unknown = Reflect.get(value, name);
  return typeof text === "string" && text !== "";
}
