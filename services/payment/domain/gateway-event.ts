/** What a callback tells. The first two answer an authorisation; the others the provider did by itself. */
export type GatewayEventOutcome = "AUTHORIZED" | "DECLINED" | "VOIDED" | "REFUNDED";

/** Whether a callback tells of what nobody here asked for, so that no run waits for it. */
export function isNews(outcome: GatewayEventOutcome): outcome is "VOIDED" | "REFUNDED" {
  return outcome === "VOIDED" || outcome === "REFUNDED";
}

/** What a provider's callback says, once its form is known to be right. */
export interface GatewayEvent {
  readonly eventId: string;
  readonly tenant: string;
  readonly paymentId: string;
  readonly outcome: GatewayEventOutcome;
  readonly gatewayReference: string;
  readonly reason: string;
  readonly currencyCode: string;
  /** Of the authorisation; of a refund, what it gives back. */
  readonly minorUnits: bigint;
}

const OUTCOMES: readonly GatewayEventOutcome[] = ["AUTHORIZED", "DECLINED", "VOIDED", "REFUNDED"];

/** Longest text that is taken out of a callback, in characters. */
const TEXT_MAX = 256;

/** Reads the JSON body of a callback; undefined when it is not one. Unknown fields are allowed. */
export function parseGatewayEvent(rawBody: Uint8Array): GatewayEvent | undefined {
  const body = parseObject(rawBody);
  const amount = body && objectOf(body["amount"]);
  if (!body || !amount) return undefined;
  const outcome = OUTCOMES.find((known) => known === body["state"]);
  const minorUnits = textOf(amount["minor_units"]);
  const event = {
    eventId: textOf(body["event_id"]),
    tenant: textOf(body["merchant"]),
    paymentId: textOf(body["merchant_reference"]),
    gatewayReference: textOf(body["gateway_reference"]),
    reason: textOf(body["decline_reason"]),
    currencyCode: textOf(amount["currency_code"]),
  };
  if (outcome === undefined) return undefined;
  if (!event.eventId || !event.tenant || !event.paymentId || !/^\d{1,19}$/.test(minorUnits))
    return undefined;
  return { ...event, outcome, minorUnits: BigInt(minorUnits) };
}

function parseObject(rawBody: Uint8Array): Record<string, unknown> | undefined {
  try {
    return objectOf(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(rawBody)));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" && value.length <= TEXT_MAX ? value : "";
}
