import type { GatewayCallback, PaymentOutcome } from "../contract.ts";
import type { CancelRequest, CaptureRequest } from "./requests.ts";

/** What a running payment workflow knows; changed by its handlers, read by its steps. */
export interface PaymentState {
  /** Step in the source system's words, without the prefix. */
  step: string;
  /** First answer of the provider that arrived by callback. */
  callback?: GatewayCallback;
  /** Event ids of all callbacks this run has recorded, repeats included. */
  readonly eventIds: Set<string>;
  /** When the fraud check that waits for a person was made, in epoch milliseconds. */
  reviewStartMs?: number;
  cancel?: CancelRequest;
  capture?: CaptureRequest;
  /** Set once, when the final row is written. */
  outcome?: PaymentOutcome;
}

/** A payment that nothing happened to yet. */
export function initialState(): PaymentState {
  return { step: "initialize", eventIds: new Set() };
}
