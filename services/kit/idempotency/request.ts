import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Db } from "mongodb";
import type { Scope } from "../pure/scope.ts";

/** What a repeated call must have in common with the first. */
export interface Claim<Res extends DescMessage> {
  /** Full method name, for example `payment.v1.PaymentService/Cancel`. */
  readonly method: string;
  /** The caller's request_id; empty means the server makes one and a repeat is a new call. */
  readonly requestId: string;
  /** SHA-256 of the canonical request; see `requestHash`. */
  readonly requestHash: string;
  readonly responseSchema: Res;
}

/**
 * Runs a mutation once per (tenant, method, request_id) and answers every repeat with the first answer.
 *
 * A claim is a lease of 30 s: a caller who comes later than that takes it over and runs again with the same
 * `id`. Stored are answers and refusals that are not retryable; anything else frees the claim. Fails with
 * REQUEST_ID_REUSED (another body) and REQUEST_IN_PROGRESS (the first call still runs).
 */
export declare function once<Res extends DescMessage>(
  db: Db,
  scope: Scope,
  claim: Claim<Res>,
  run: (call: { readonly requestId: string; readonly id: string }) => Promise<MessageShape<Res>>,
): Promise<MessageShape<Res>>;
