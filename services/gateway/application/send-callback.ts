import { randomBytes } from "node:crypto";
import { post } from "#kit/post.ts";
import { SIGNATURE_HEADER, signWebhook } from "#kit/webhook.ts";
import type { GatewayCallback } from "../contract.ts";
import type { CallbackTask, ProviderNews } from "../domain/callback.ts";
import type { Transaction } from "../domain/transaction.ts";
import type { GatewayDeps } from "./deps.ts";

/** How long the merchant may take to answer, in milliseconds. */
const SEND_TIMEOUT_MS = 5_000;

/** One callback about one transaction. */
export interface CallbackMessage {
  readonly sending: CallbackTask["sendings"][number];
  readonly transaction: Transaction;
  /** What it tells of; undefined: of the authorisation. */
  readonly news: ProviderNews | undefined;
}

/** Posts one callback. `taken`: it need not be sent again. Never throws. */
export async function sendCallback(
  deps: GatewayDeps,
  tenant: string,
  message: CallbackMessage,
  signal: AbortSignal,
): Promise<"taken" | "failed"> {
  const { sending, transaction } = message;
  const fields = { authorizationKey: transaction.authorizationKey, eventId: sending.eventId };
  try {
    const status = await sendSigned(deps, tenant, message, signal);
    // A forgery is meant to be refused; that it was answered is all there is to wait for.
    if (status === 200 || (sending.forged && status < 500)) return "taken";
    deps.log.warn({ ...fields, status }, "callback refused");
  } catch (error) {
    if (!signal.aborted) deps.log.warn({ ...fields, err: error }, "callback not delivered");
  }
  return "failed";
}

async function sendSigned(
  deps: GatewayDeps,
  tenant: string,
  message: CallbackMessage,
  signal: AbortSignal,
): Promise<number> {
  const { sending } = message;
  const body = JSON.stringify(callbackBody(tenant, message));
  const secret = sending.forged ? randomBytes(32).toString("hex") : deps.config.secret;
  const timestamp = Math.floor(deps.now().getTime() / 1000);
  const { status } = await post(new URL(deps.config.callbackUrl), {
    headers: {
      "content-type": "application/json",
      [SIGNATURE_HEADER]: signWebhook(secret, timestamp, body),
    },
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]),
    connection: deps.certificates?.current() ?? {},
  });
  return status;
}

const SUCCESS = { type: "authorization.succeeded", state: "AUTHORIZED" } as const;
const FORGERY = { type: "authorization.declined", state: "DECLINED" } as const;
const NEWS = {
  REFUNDED: { type: "refund.succeeded", state: "REFUNDED" },
  VOIDED: { type: "authorization.voided", state: "VOIDED" },
} as const;

/** Made of what does not change any more, so that every copy of an event is the same to the byte. */
function callbackBody(
  tenant: string,
  { sending, transaction, news }: CallbackMessage,
): GatewayCallback {
  const { order, authorizeTime, createTime } = transaction;
  const minorUnits = news?.minorUnits ?? order?.amount.minorUnits ?? 0n;
  return {
    event_id: sending.eventId,
    ...(news ? NEWS[news.state] : sending.forged ? FORGERY : SUCCESS),
    merchant: tenant,
    authorization_key: transaction.authorizationKey,
    gateway_reference: transaction.gatewayReference,
    merchant_reference: order?.merchantReference ?? "",
    amount: {
      currency_code: order?.amount.currencyCode ?? "",
      minor_units: String(minorUnits),
    },
    decline_reason: sending.forged ? "forged" : "",
    occurred_at: (news?.time ?? authorizeTime ?? createTime).toISOString(),
  };
}
