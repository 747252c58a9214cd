import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Channel,
  type Notification,
  NotificationService,
  NotificationStatus,
  Template,
} from "#gen/notification/v1/notification_pb.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readNotificationConfig } from "#services/notification/config.ts";
import { startNotificationService } from "#services/notification/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";
import { waitUntil } from "#test/support/wait-until.ts";

let alone: Alone;
let count = 0;

const FAST = {
  SETTLE_NOTIFICATION_RETRY_MIN: "20ms",
  SETTLE_NOTIFICATION_RETRY_MAX: "50ms",
  SETTLE_NOTIFICATION_INTERVAL: "20ms",
};

beforeAll(async () => {
  alone = await startAlone(readNotificationConfig, startNotificationService, FAST);
});
afterAll(() => alone[Symbol.asyncDispose]());

const client = () => createPeer(NotificationService, alone.url);

function message(changes: object = {}) {
  count += 1;
  const paymentId = `payment-${count}`;
  return {
    notificationId: `${paymentId}:succeeded`,
    recipient: "alice",
    channel: Channel.EMAIL,
    template: Template.PAYMENT_SUCCEEDED,
    variables: { amount: "12.50 USD" },
    paymentId,
    ...changes,
  };
}

function awaitStatus(notificationId: string, status: NotificationStatus): Promise<Notification> {
  const what = `${notificationId} in status ${status}`;
  return waitUntil(
    async () => {
      const { notification } = await client().get({ notificationId });
      return notification?.status === status ? notification : undefined;
    },
    { what, everyMs: 20 },
  );
}

async function inboxOf(notificationId: string) {
  const db = await alone.platform.database("notification");
  return db.collection("inbox").find({ "_id.id": notificationId }).toArray();
}

describe("one message per id", () => {
  test("stores at once and delivers into the embedded inbox", async () => {
    const request = message();
    const { notification } = await client().send(request);
    expect(notification).toMatchObject({ subject: "Your payment of 12.50 USD went through" });
    const sent = await awaitStatus(request.notificationId, NotificationStatus.SENT);
    expect(sent.attempts).toBe(1);
    expect(await inboxOf(request.notificationId)).toMatchObject([
      { address: "alice@settle.test", channel: "EMAIL", paymentId: request.paymentId },
    ]);
  });

  test("delivers one message when 32 callers send the same one at the same time", async () => {
    const request = message();
    const sends = Array.from({ length: 32 }, () => client().send(request));
    const times = (await Promise.all(sends)).map(({ notification }) => notification?.createTime);
    expect(new Set(times.map((time) => `${time?.seconds}.${time?.nanos}`)).size).toBe(1);
    const sent = await awaitStatus(request.notificationId, NotificationStatus.SENT);
    expect(sent.attempts).toBe(1);
    expect(await inboxOf(request.notificationId)).toHaveLength(1);
  });

  test.each([
    ["recipient", { recipient: "bob" }],
    ["channel", { channel: Channel.SMS }],
    ["template", { template: Template.PAYMENT_FAILED }],
    ["variables", { variables: { amount: "12.51 USD" } }],
    ["payment", { paymentId: "another" }],
  ])(
    "refuses the same id with another %s, so that nobody believes it was sent",
    async (_, change) => {
      const request = message();
      await client().send(request);
      const refused = client().send({ ...request, ...change });
      await expect(refused).rejects.toSatisfy((e) => reasonOf(e) === "NOTIFICATION_ID_REUSED");
    },
  );

  test("takes an absent channel for e-mail, also when the repeat names it", async () => {
    const request = message({ channel: Channel.UNSPECIFIED });
    await client().send(request);
    const { notification } = await client().send({ ...request, channel: Channel.EMAIL });
    expect(notification?.channel).toBe(Channel.EMAIL);
  });

  test("keeps tenants apart, so that the same id is a message of each", async () => {
    const request = message();
    await client().send(request);
    const theirs = { ...request, recipient: "their-alice" };
    await client().send(theirs, onBehalfOf({ tenant: "other" }));
    const inbox = await waitUntil(async () => {
      const found = await inboxOf(request.notificationId);
      return found.length === 2 ? found : undefined;
    });
    expect(inbox.map((row) => row["address"]).sort()).toEqual([
      "alice@settle.test",
      "their-alice@settle.test",
    ]);
  });
});

describe("a channel that fails", () => {
  test("delivers after three failures, and says what went wrong meanwhile", async () => {
    await alone.restart({ SETTLE_NOTIFICATION_FAULT: "fail:3" });
    const request = message();
    await client().send(request);
    const failing = await waitUntil(async () => {
      const { notification } = await client().get(request);
      return notification?.lastError ? notification : undefined;
    });
    expect(failing).toMatchObject({ lastError: "failed by the faulty sender" });
    const sent = await awaitStatus(request.notificationId, NotificationStatus.SENT);
    expect(sent).toMatchObject({ attempts: 4, lastError: "" });
  });

  test("makes one message of four deliveries when each took effect and its answer was lost", async () => {
    await alone.restart({ SETTLE_NOTIFICATION_FAULT: "apply-then-fail:3" });
    const request = message();
    await client().send(request);
    const sent = await awaitStatus(request.notificationId, NotificationStatus.SENT);
    expect(sent.attempts).toBe(4);
    expect(await inboxOf(request.notificationId)).toHaveLength(1);
  });

  test("gives up at once on a message the channel refuses for good", async () => {
    await alone.restart({ SETTLE_NOTIFICATION_FAULT: "refuse" });
    const request = message();
    await client().send(request);
    const failed = await awaitStatus(request.notificationId, NotificationStatus.FAILED);
    expect(failed).toMatchObject({ attempts: 1, lastError: "refused by the faulty sender" });
    expect(await inboxOf(request.notificationId)).toEqual([]);
  });

  test("gives up when the time for it is over", async () => {
    await alone.restart({
      SETTLE_NOTIFICATION_FAULT: "fail:1000000",
      SETTLE_NOTIFICATION_GIVE_UP: "100ms",
    });
    const request = message();
    await client().send(request);
    const failed = await awaitStatus(request.notificationId, NotificationStatus.FAILED);
    expect(failed.lastError).toMatch(/^given up after \d+ attempts: failed by the faulty sender$/);
  });

  test("catches up after an outage, each message once, although two instances deliver", async () => {
    await alone.restart({ SETTLE_NOTIFICATION_FAULT: "fail:1000000" });
    const requests = Array.from({ length: 40 }, () => message());
    await Promise.all(requests.map((request) => client().send(request)));
    await alone.restart();
    await alone.another();
    for (const { notificationId } of requests) {
      await awaitStatus(notificationId, NotificationStatus.SENT);
      expect(await inboxOf(notificationId)).toHaveLength(1);
    }
  });
});

test("takes over a message whose sender died in the middle of its delivery", async () => {
  await alone.restart();
  const request = message();
  const db = await alone.platform.database("notification");
  await client().send(request);
  await awaitStatus(request.notificationId, NotificationStatus.SENT);
  // As a sender leaves it that was killed after the channel took the message and before it wrote so.
  await db
    .collection("notifications")
    .updateOne(
      { "_id.id": request.notificationId },
      { $set: { status: "QUEUED", claim: "dead", nextTime: new Date(Date.now() + 200) } },
    );
  const sent = await awaitStatus(request.notificationId, NotificationStatus.SENT);
  expect(sent.attempts).toBe(2);
  expect(await inboxOf(request.notificationId)).toHaveLength(1);
});

test.each([
  ["an SMS to an e-mail address", { channel: Channel.SMS, recipient: "alice@example.org" }],
  ["an e-mail to a phone number", { recipient: "+4915112345678" }],
  ["a recipient with a line break", { recipient: "alice@example.org\nBcc: eve@example.org" }],
  ["two recipients", { recipient: "alice@example.org,eve@example.org" }],
  ["no template", { template: Template.UNSPECIFIED }],
  ["no id", { notificationId: "" }],
])("refuses %s as INVALID_ARGUMENT and stores nothing", async (_, change) => {
  const request = message(change);
  await expect(client().send(request)).rejects.toMatchObject({ code: 3 });
  const { notifications } = await client().list({ paymentId: request.paymentId });
  expect(notifications).toEqual([]);
});
