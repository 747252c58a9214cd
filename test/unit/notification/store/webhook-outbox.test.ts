import { afterEach, beforeEach, expect, test } from "vitest";
import { createNotificationStore } from "#services/notification/store/notification-store.ts";
import type { WebhookStore } from "#services/notification/store/webhook-port.ts";
import { webhookCollections } from "#services/notification/store/webhook-rows.ts";
import { createWebhookStore } from "#services/notification/store/webhook-store.ts";
import {
  at,
  endpoint,
  type NotificationDatabase,
  openNotificationDatabase,
  succeeded,
} from "#test/unit/notification/builders.ts";

let opened: NotificationDatabase;
let webhooks: WebhookStore;
beforeEach(async () => {
  opened = await openNotificationDatabase();
  webhooks = createWebhookStore(opened.client, opened.db);
});
afterEach(() => opened[Symbol.asyncDispose]());

const tell = (tenant: string, paymentId: string) =>
  createNotificationStore(opened.db).insert({ tenant }, succeeded(paymentId));

/** Tenant, endpoint and number of every delivery there is. */
async function deliveries(): Promise<string[]> {
  const found = await webhookCollections(opened.db).deliveries.find().toArray();
  return found.map((row) =>
    [row._id.tenant, row.endpointId, row.paymentId, row.sequence].join(" "),
  );
}

test("an event goes to the endpoints of its own tenant only, whoever else listens", async () => {
  for (const tenant of ["shop-a", "shop-b"]) {
    await webhooks.insertEndpoint({ tenant }, endpoint(`of-${tenant}`));
  }
  await tell("shop-a", "p1");
  await tell("shop-b", "p2");
  await webhooks.fanOut(10, at(0));
  expect((await deliveries()).sort()).toEqual(["shop-a of-shop-a p1 1", "shop-b of-shop-b p2 1"]);
});

test("one payment id used by two tenants is two payments: each tenant hears of its own", async () => {
  for (const tenant of ["shop-a", "shop-b"]) {
    await webhooks.insertEndpoint({ tenant }, endpoint("same"));
  }
  await tell("shop-a", "same");
  await webhooks.fanOut(10, at(0));
  expect(await deliveries()).toEqual(["shop-a same same 1"]);
});

test("deliveries and the end of their mark are one write: when one fails there is neither, and none is made twice", async () => {
  await webhooks.insertEndpoint({ tenant: "shop" }, endpoint("e1"));
  await tell("shop", "p1");
  const [{ options = {} } = {}] = await opened.db
    .listCollections({ name: "notifications" }, { nameOnly: false })
    .toArray();
  // The last write of the transaction takes the mark away; a rule that asks for the mark makes it fail.
  await opened.db.command({ collMod: "notifications", validator: { fanOut: { $exists: true } } });
  await expect(webhooks.fanOut(10, at(0))).rejects.toThrow("failed validation");
  expect(await deliveries()).toEqual([]);
  await opened.db.command({ collMod: "notifications", validator: options["validator"] });
  await webhooks.fanOut(10, at(1));
  await webhooks.fanOut(10, at(2));
  expect(await deliveries()).toEqual(["shop e1 p1 1"]);
});
