import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  NotificationService,
  NotificationStatus,
  Template,
} from "#gen/notification/v1/notification_pb.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readNotificationConfig } from "#services/notification/config.ts";
import { startNotificationService } from "#services/notification/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

let alone: Alone;

beforeAll(async () => {
  alone = await startAlone(readNotificationConfig, startNotificationService, {
    SETTLE_NOTIFICATION_FAULT: "fail:1000000",
  });
  for (let i = 0; i < 7; i += 1) await send(`n-${i}`, i < 5 ? "p-1" : "p-2");
});
afterAll(() => alone[Symbol.asyncDispose]());

const client = () => createPeer(NotificationService, alone.url);

function send(notificationId: string, paymentId: string) {
  const template = Template.PAYMENT_FAILED;
  return client().send({ notificationId, recipient: "alice", template, paymentId });
}

describe("pages", () => {
  test("lead through all messages once, newest first, also while new ones come", async () => {
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await client().list({ pageSize: 2, pageToken, paymentId: "p-1" });
      expect(page.notifications.length).toBeLessThanOrEqual(2);
      seen.push(...page.notifications.map((found) => found.notificationId));
      await send(`late-${seen.length}`, "p-1");
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(["n-4", "n-3", "n-2", "n-1", "n-0"]);
  });

  test("filter by status", async () => {
    const queued = await client().list({ paymentId: "p-2", status: NotificationStatus.QUEUED });
    expect(queued.notifications).toHaveLength(2);
    const sent = await client().list({ paymentId: "p-2", status: NotificationStatus.SENT });
    expect(sent.notifications).toEqual([]);
  });

  test("of another tenant show nothing of this one", async () => {
    const theirs = await client().list({}, onBehalfOf({ tenant: "other" }));
    expect(theirs.notifications).toEqual([]);
  });

  test("refuse a token of another filter, so that no row is skipped in silence", async () => {
    const { nextPageToken } = await client().list({ pageSize: 2, paymentId: "p-1" });
    const foreign = client().list({ pageSize: 2, paymentId: "p-2", pageToken: nextPageToken });
    await expect(foreign).rejects.toSatisfy((e) => reasonOf(e) === "INVALID_PAGE_TOKEN");
  });
});

test("Get names the message it did not find", async () => {
  const missing = client().get({ notificationId: "nowhere" });
  await expect(missing).rejects.toSatisfy((e) => reasonOf(e) === "NOTIFICATION_NOT_FOUND");
});
