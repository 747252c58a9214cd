import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { createNotificationActivities } from "#services/notification/activities/index.ts";
import { readNotificationConfig } from "#services/notification/config.ts";
import type { NotifyInput } from "#services/notification/contract.ts";
import { startNotificationService } from "#services/notification/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

let alone: Alone;

beforeAll(async () => {
  alone = await startAlone(readNotificationConfig, startNotificationService);
});
afterAll(() => alone[Symbol.asyncDispose]());

const INPUT: NotifyInput = {
  tenant: "default",
  notificationId: "p1:succeeded",
  recipient: "alice",
  channel: "EMAIL",
  template: "PAYMENT_SUCCEEDED",
  variables: { amount: "12.50 USD" },
  paymentId: "p1",
};

function notify(input: NotifyInput, notification = createPeer(NotificationService, alone.url)) {
  const activities = createNotificationActivities({ notification });
  const environment = new MockActivityEnvironment();
  return environment.run(activities["notification::payment:notify"], input);
}

test("stores the message once however often the activity runs", async () => {
  expect(await notify(INPUT)).toEqual({});
  expect(await notify(INPUT)).toEqual({});
  const { notifications } = await createPeer(NotificationService, alone.url).list({
    paymentId: "p1",
  });
  expect(notifications).toMatchObject([{ notificationId: "p1:succeeded", recipient: "alice" }]);
});

test("says so when its id was used for another message, which is a bug and no proof that nothing happened", async () => {
  await notify({ ...INPUT, notificationId: "p2:succeeded" });
  const other = notify({ ...INPUT, notificationId: "p2:succeeded", recipient: "bob" });
  await expect(other).rejects.toMatchObject({
    type: "NOTIFICATION_ID_REUSED",
    nonRetryable: false,
  });
});

test("may be repeated when nobody answers, because the outcome is unknown", async () => {
  const nobody = createPeer(NotificationService, "http://127.0.0.1:1");
  await expect(notify(INPUT, nobody)).rejects.toMatchObject({ nonRetryable: false });
});
