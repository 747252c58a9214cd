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

/** Whether a payload is an object with a non-empty string under the name. */
export function hasText<const K extends string>(
  value: unknown,
  name: K,
): value is Record<K, string> {
  if (typeof value !== "object" || value === null) return false;
  const text: unknown = Reflect.get(value, name);
  return typeof text === "string" && text !== "";
}
