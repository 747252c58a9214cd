import type { Db, MongoClient } from "mongodb";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import type { Notification } from "#services/notification/domain/notification.ts";
import type { Endpoint } from "#services/notification/domain/webhook.ts";
import { notificationMigrations } from "#services/notification/store/migrations.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

/** A moment of these tests, in milliseconds after the first. */
export const at = (ms: number): Date => new Date(Date.UTC(2030, 0) + ms);

/** The message that a payment succeeded, which is an event too. */
export function succeeded(paymentId: string): Notification {
  return {
    id: `${paymentId}:succeeded`,
    content: {
      recipient: "alice",
      channel: "EMAIL",
      template: "PAYMENT_SUCCEEDED",
      variables: new Map([["amount", "1.00 USD"]]),
      paymentId,
    },
    address: "alice@example.com",
    subject: "Paid",
    body: "You paid 1.00 USD.",
    status: "QUEUED",
    attempts: 0,
    lastError: "",
    createTime: at(0),
    sendTime: undefined,
  };
}

/** An enabled endpoint that gets every event. */
export function endpoint(id: string): Endpoint {
  return {
    id,
    url: `https://${id}.example.com/hook`,
    eventTypes: [],
    description: "",
    enabled: true,
    secrets: [],
    version: 1n,
    createTime: at(0),
    updateTime: at(0),
  };
}

/** Notification's database on the run's mongod, used by nobody else. */
export interface NotificationDatabase extends AsyncDisposable {
  readonly client: MongoClient;
  readonly db: Db;
}

/** Opens it, empty. */
export async function openNotificationDatabase(): Promise<NotificationDatabase> {
  const client = await connectMongo(mongoUri());
  const db = client.db(`${freshPrefix()}_notification`);
  await migrate(db, notificationMigrations);
  return {
    client,
    db,
    async [Symbol.asyncDispose]() {
      await db.dropDatabase();
      await client.close();
    },
  };
}
