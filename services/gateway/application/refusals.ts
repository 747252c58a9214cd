import { Refusal } from "#kit/refusal.ts";
import type { GatewayReason } from "../reasons.ts";

const CURRENCY_FIELD = [
  { field: "amount.currency_code", description: "is not the currency of the authorisation" },
];

/** Refuses a call about an authorisation. */
export function refuse(reason: GatewayReason, authorizationKey: string): Refusal {
  return new Refusal(reason, {
    metadata: { authorization_key: authorizationKey },
    ...(reason === "GATEWAY_PENDING" ? { retryAfterMs: 1_000 } : {}),
    ...(reason === "CURRENCY_MISMATCH" ? { fields: CURRENCY_FIELD } : {}),
  });
}

/** What the caller sees of an answer that was lost on its way: nobody knows. */
export function lostAnswer(authorizationKey: string): Refusal {
  return new Refusal("GATEWAY_UNAVAILABLE", {
    message:
      "the connection to the provider broke before its answer came; repeat with the same key",
    metadata: { authorization_key: authorizationKey },
  });
}
