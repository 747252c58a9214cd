/** Path of the merchant's endpoint that callbacks are posted to, below the merchant's base URL. */
export const CALLBACK_PATH = "/callbacks/gateway/mock";

/**
 * Body of a callback, as JSON. It says what happened at `occurred_at`, not what is true when it arrives: whoever
 * needs that asks GetTransaction. The `Signature` header is that of `kit/webhook.ts` over the raw body. Answered
 * with 200 once it is stored for good; anything else, and it is sent again.
 */
export interface GatewayCallback {
  /** The same for every copy of one event. */
  readonly event_id: string;
  readonly type:
    | "authorization.succeeded"
    | "authorization.declined"
    | "authorization.voided"
    | "refund.succeeded";
  /** The merchant's name at the provider: the tenant. */
  readonly merchant: string;
  readonly authorization_key: string;
  readonly gateway_reference: string;
  /** The merchant's own id: the payment id. */
  readonly merchant_reference: string;
  readonly state: "AUTHORIZED" | "DECLINED" | "VOIDED" | "REFUNDED";
  /** What was asked for; of a refund, what it gives back. `minor_units` as a decimal string. */
  readonly amount: { readonly currency_code: string; readonly minor_units: string };
  /** Empty unless declined. */
  readonly decline_reason: string;
  /** RFC 3339, UTC. */
  readonly occurred_at: string;
}
