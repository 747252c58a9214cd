import { afterAll, beforeAll, expect, test } from "vitest";
import { DeliveryState, WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { startReceiver } from "#test/support/webhook-receiver.ts";
import { Behaviour, endOf, openAccount, pay, startQuickStack } from "./payment.support.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startQuickStack({
    SETTLE_WEBHOOK_ALLOW_PRIVATE: "1",
    SETTLE_WEBHOOK_ALLOW_HTTP: "1",
    SETTLE_WEBHOOK_INTERVAL: "20ms",
    SETTLE_WEBHOOK_RETRY_MIN: "20ms",
    SETTLE_WEBHOOK_RETRY_MAX: "50ms",
  });
});
afterAll(() => stack[Symbol.asyncDispose]());

test("a payment settles while its webhook endpoint is down, and the endpoint hears of it when it is back", async () => {
  const down = await startReceiver();
  await down[Symbol.asyncDispose]();
  const webhooks = createPeer(WebhookService, `http://${stack.addresses.notification}`);
  await webhooks.createEndpoint({ url: down.url });
  const accountId = await openAccount(stack, 1250n);
  const amount = { currencyCode: "USD", minorUnits: 1250n };
  const paymentId = await pay(stack, accountId, Behaviour.OK, { amount });
  expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
  const pending = await waitUntil(async () => {
    const { deliveries } = await webhooks.listDeliveries({ paymentId });
    return deliveries.find(({ attempts }) => attempts > 1);
  });
  expect(pending.state).toBe(DeliveryState.PENDING);
  await using back = await startReceiver(down.port);
  await waitUntil(async () => back.hooks.length > 0);
  expect(back.hooks[0]?.event).toMatchObject({
    event_id: `${paymentId}:succeeded`,
    type: "payment.succeeded",
    sequence: 1,
    data: {
      payment: {
        payment_id: paymentId,
        account_id: accountId,
        status: "SUCCEEDED",
        amount: { currency_code: "USD", minor_units: "1250" },
      },
    },
  });
});
