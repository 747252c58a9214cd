import { afterAll, afterEach, beforeAll } from "vitest";
import { NotificationService, Template } from "#gen/notification/v1/notification_pb.ts";
import { type DeliveryState, WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { verifyWebhook } from "#kit/webhook.ts";
import { readNotificationConfig } from "#services/notification/config.ts";
import { startNotificationService } from "#services/notification/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { type ReceivedHook, type Receiver, startReceiver } from "#test/support/webhook-receiver.ts";

/** Everything at once, to receivers on loopback. */
const FAST = {
  SETTLE_NOTIFICATION_INTERVAL: "50ms",
  SETTLE_WEBHOOK_INTERVAL: "20ms",
  SETTLE_WEBHOOK_RETRY_MIN: "20ms",
  SETTLE_WEBHOOK_RETRY_MAX: "40ms",
  SETTLE_WEBHOOK_PER_ENDPOINT: "2",
  SETTLE_WEBHOOK_CONCURRENCY: "8",
  SETTLE_WEBHOOK_ALLOW_PRIVATE: "1",
  SETTLE_WEBHOOK_ALLOW_HTTP: "1",
};

let alone: Alone;
let tenants = 0;
let count = 0;
let tenant = "t0";
const receivers: Receiver[] = [];

/** Runs Notification alone for the tests of a file, each with a tenant of its own: no endpoint hears another's events. */
export function useWebhooks(): void {
  beforeAll(async () => {
    alone = await startAlone(readNotificationConfig, startNotificationService, FAST);
  });
  afterAll(() => alone[Symbol.asyncDispose]());
  afterEach(async () => {
    tenants += 1;
    tenant = `t${tenants}`;
    for (const receiver of receivers.splice(0)) await receiver[Symbol.asyncDispose]();
  });
}

/** The running service. */
export const notification = (): Alone => alone;

/** A name that no test of the file has used. */
export const fresh = (kind: string): string => `${kind}-${++count}`;

/** The webhook API. */
export const hooks = () => createPeer(WebhookService, alone.url);
/** Headers of the test's tenant. */
export const on = () => onBehalfOf({ tenant });

/** A merchant's server that ends with the test. */
export async function receiver(port = 0): Promise<Receiver> {
  const started = await startReceiver(port);
  receivers.push(started);
  return started;
}

/** An endpoint of the test's tenant. */
export async function endpointAt(url: string, fields: object = {}) {
  const { endpoint, secret } = await hooks().createEndpoint({ url, ...fields }, on());
  return { endpointId: endpoint?.endpointId ?? "", etag: endpoint?.etag ?? "", secret };
}

type Event = "succeeded" | "failed" | "cancelled" | "refunded";

/** Has a message about a payment stored; answers its id, which is the event's. */
export async function tell(event: Event, paymentId = fresh("payment")): Promise<string> {
  const notificationId = `${event === "refunded" ? fresh("refund") : paymentId}:${event}`;
  await createPeer(NotificationService, alone.url).send(
    {
      notificationId,
      recipient: "alice",
      template: Template[`PAYMENT_${event.toUpperCase() as Uppercase<Event>}`],
      variables: { amount: "12.50 USD", currencyCode: "USD", minorUnits: "1250" },
      paymentId,
    },
    on(),
  );
  return notificationId;
}

/** The event as it came. */
export const arrived = (at: Receiver, eventId: string): Promise<ReceivedHook> =>
  waitUntil(async () => at.hooks.find(({ event }) => event.event_id === eventId), {
    what: `event ${eventId}`,
    everyMs: 10,
  });

/** The endpoint's newest delivery in a state. */
export const deliveryIn = (state: DeliveryState, endpointId: string) =>
  waitUntil(
    async () => {
      const { deliveries } = await hooks().listDeliveries({ endpointId, state }, on());
      return deliveries[0];
    },
    { what: `a delivery in state ${state}`, everyMs: 10 },
  );

/** What the signature says under these secrets. */
export const verify = (hook: ReceivedHook, ...secrets: string[]) =>
  verifyWebhook({
    secrets,
    header: String(hook.headers["signature"]),
    rawBody: Buffer.from(hook.body),
    nowMs: Date.now(),
  });
