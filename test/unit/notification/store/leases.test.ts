import { afterEach, beforeEach, expect, test } from "vitest";
import { createNotificationStore } from "#services/notification/store/notification-store.ts";
import { createWebhookStore } from "#services/notification/store/webhook-store.ts";
import {
  at,
  endpoint,
  type NotificationDatabase,
  openNotificationDatabase,
  succeeded,
} from "#test/unit/notification/builders.ts";

const SHOP = { tenant: "shop" };
const LEASE_MS = 1_000;

let opened: NotificationDatabase;
beforeEach(async () => {
  opened = await openNotificationDatabase();
});
afterEach(() => opened[Symbol.asyncDispose]());

test("a sender that outlived its lease cannot overwrite what the next one wrote of a message", async () => {
  const store = createNotificationStore(opened.db);
  const { id } = await store.insert(SHOP, succeeded("message"));
  const [late] = await store.claimDue({ limit: 1, now: at(0), leaseMs: LEASE_MS });
  const [holder] = await store.claimDue({ limit: 1, now: at(LEASE_MS), leaseMs: LEASE_MS });
  if (late === undefined || holder === undefined) throw new Error("not claimed twice");
  const failed = { kind: "FAILED", error: "too slow" } as const;
  await store.settle([{ claimed: late, outcome: failed }]);
  expect(await store.find(SHOP, id)).toMatchObject({ status: "QUEUED", lastError: "" });
  await store.settle([{ claimed: holder, outcome: { kind: "SENT", sendTime: at(1_500) } }]);
  await store.settle([{ claimed: late, outcome: failed }]);
  const sent = await store.find(SHOP, id);
  expect(sent).toMatchObject({ status: "SENT", lastError: "", attempts: 2, sendTime: at(1_500) });
});

test("a sender that outlived its lease cannot overwrite what the next one wrote of a webhook", async () => {
  const webhooks = createWebhookStore(opened.client, opened.db);
  await webhooks.insertEndpoint(SHOP, endpoint("e1"));
  await createNotificationStore(opened.db).insert(SHOP, succeeded("event"));
  await webhooks.fanOut(10, at(0));
  const claim = (ms: number) =>
    webhooks.claimDelivery({ now: at(ms), leaseMs: LEASE_MS, busyEndpoints: [] });
  const late = await claim(0);
  const holder = await claim(LEASE_MS);
  if (late === undefined || holder === undefined) throw new Error("not claimed twice");
  const { id } = holder.delivery;
  expect(late.delivery.id).toBe(id);
  const dead = { kind: "DEAD", status: 500, error: "too slow" } as const;
  await webhooks.settleDelivery(late, dead, 60_000);
  expect(await webhooks.findDelivery(SHOP, id)).toMatchObject({ state: "PENDING", lastError: "" });
  const delivered = { kind: "DELIVERED", status: 200, time: at(1_500) } as const;
  await webhooks.settleDelivery(holder, delivered, 60_000);
  await webhooks.settleDelivery(late, dead, 60_000);
  expect(await webhooks.findDelivery(SHOP, id)).toMatchObject({
    state: "DELIVERED",
    lastStatus: 200,
    attempts: 2,
  });
});
