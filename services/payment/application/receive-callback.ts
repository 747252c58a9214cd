import { verifyWebhook } from "#kit/webhook.ts";
import { type GatewayEvent, parseGatewayEvent } from "../domain/gateway-event.ts";
import type { Payment } from "../domain/payment.ts";
import type { StoredCallback } from "../store/callbacks.ts";
import type { PaymentDeps } from "./deps.ts";
import { resumePayment, toSignal } from "./resume-payment.ts";

/** What the provider is told: durable, forged, or not a callback at all. */
export type Receipt = "stored" | "signature-invalid" | "malformed";

/**
 * Takes a provider's callback: signature over the raw bytes, then the durable row, and only then "stored". What follows
 * is best effort here, because the sweeper repeats it until the callback is recorded or reconciled.
 */
export async function receiveCallback(
  deps: PaymentDeps,
  provider: string,
  header: string | undefined,
  rawBody: Uint8Array,
): Promise<Receipt> {
  const verdict = verifyWebhook({
    secrets: deps.gatewaySecrets.get(provider) ?? [],
    header,
    rawBody,
    nowMs: Date.now(),
  });
  if (verdict !== "ok") return "signature-invalid";
  const event = parseGatewayEvent(rawBody);
  if (event === undefined) return "malformed";
  const payment = await deps.store.findPayment({ tenant: event.tenant }, event.paymentId);
  const callback = storedCallback(provider, event, rawBody, mismatch(event, payment));
  const fresh = await deps.store.insertCallback(callback);
  if (fresh && callback.ignored === "") {
    await deliverCallback(deps, callback, payment?.final ?? false).catch((error) => {
      deps.log.warn({ err: error, paymentId: event.paymentId }, "callback is left to the sweeper");
    });
  } else if (callback.ignored !== "" && payment) {
    // Also for a repeat: the first may have died between its row and its task.
    const detail = `callback ${event.eventId} was not effective: ${callback.ignored}`;
    await deps.store.openTask(payment, {
      paymentId: payment.paymentId,
      kind: "CALLBACK_MISMATCH",
      detail,
    });
  }
  return "stored";
}

/**
 * Gives a stored callback to the running workflow; or to a reconcile, for a closed payment and for what the provider did by
 * itself.
 */
export async function deliverCallback(
  deps: Pick<PaymentDeps, "store" | "workflows">,
  callback: StoredCallback,
  final: boolean,
): Promise<void> {
  const { tenant, paymentId } = callback;
  const answer = toSignal(callback);
  if (answer && !final) {
    if (await deps.workflows.signalCallback(paymentId, answer)) {
      await deps.store.markSignalled({ tenant }, [callback]);
      return;
    }
    // No run although the row was open: it ended just now, or it was lost, and a new one is told by its input.
    const payment = await deps.store.findPayment({ tenant }, paymentId);
    if (payment && !payment.final) await resumePayment(deps, payment);
    if (!payment?.final) return;
  }
  await deps.workflows.startReconcile({ tenant, paymentId });
}

/** Signed is not enough: payment, amount and currency must be ours, or the callback is kept without effect. */
function mismatch(event: GatewayEvent, payment: Payment | undefined): string {
  if (payment === undefined) return "UNKNOWN_PAYMENT";
  // A refund may be of a part.
  const fits =
    event.outcome === "REFUNDED"
      ? event.minorUnits <= payment.amount
      : event.minorUnits === payment.amount;
  return fits && event.currencyCode === payment.currencyCode ? "" : "AMOUNT_MISMATCH";
}

function storedCallback(
  provider: string,
  event: GatewayEvent,
  rawBody: Uint8Array,
  ignored: string,
): StoredCallback {
  const now = new Date();
  return {
    tenant: event.tenant,
    callbackId: `${provider}:${event.eventId}`,
    eventId: event.eventId,
    paymentId: event.paymentId,
    state: ignored === "" ? "RECEIVED" : "DONE",
    outcome: event.outcome,
    gatewayReference: event.gatewayReference,
    reason: event.reason,
    ignored,
    body: Buffer.from(rawBody).toString("utf8"),
    createTime: now,
    updateTime: now,
  };
}
