import { type ClientSession, type MongoClient, MongoServerError } from "mongodb";
import { uuidv7 } from "#kit/ids.ts";
import { key } from "#kit/mongo/key.ts";
import { type Endpoint, eventBody, eventOf, wants } from "../domain/webhook.ts";
import { type NotificationRow, toNotification } from "./rows.ts";
import { type DeliveryRow, toEndpoint, type WebhookCollections } from "./webhook-rows.ts";

const SNAPSHOT = {
  readConcern: { level: "snapshot" },
  writeConcern: { w: "majority", journal: true },
} as const;

const DUPLICATE_KEY = 11_000;

interface Subject {
  readonly tenant: string;
  readonly paymentId: string;
}

/**
 * The stored message is the outbox: it waits with `fanOut: PENDING` until its deliveries are made, in one transaction
 * with the mark's end and the payment's counter. So nothing is lost, nothing is made twice, and no number is skipped.
 */
export async function fanOut(
  client: MongoClient,
  rows: WebhookCollections,
  limit: number,
  now: Date,
): Promise<number> {
  const waiting = await rows.notifications
    .find({ fanOut: "PENDING" }, { projection: { _id: 1, paymentId: 1 } })
    .sort({ createTime: 1 })
    .limit(limit)
    .toArray();
  // The endpoints are read after the messages: an endpoint that was there when a message was stored is seen.
  for (const [tenant, ids] of byTenant(waiting)) {
    const listener = await rows.endpoints.findOne({ "_id.tenant": tenant, state: "ENABLED" });
    if (listener === null) {
      const mine = { _id: { $in: ids.map(({ _id }) => _id) }, fanOut: "PENDING" } as const;
      await rows.notifications.updateMany(mine, { $unset: { fanOut: "" } });
      continue;
    }
    for (const paymentId of new Set(ids.map((row) => row.paymentId))) {
      await recordEvents(client, rows, { tenant, paymentId }, now);
    }
  }
  return waiting.length;
}

function byTenant<R extends Pick<NotificationRow, "_id">>(rows: readonly R[]): Map<string, R[]> {
  return Map.groupBy(rows, (row) => row._id.tenant);
}

async function recordEvents(
  client: MongoClient,
  rows: WebhookCollections,
  subject: Subject,
  now: Date,
): Promise<void> {
  try {
    await client.withSession((session) =>
      session.withTransaction(() => recordIn(session, rows, subject, now), SNAPSHOT),
    );
  } catch (error) {
    // Another instance began the payment's counter at the same time; the next round finds what is left, if anything.
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
  }
}

async function recordIn(
  session: ClientSession,
  rows: WebhookCollections,
  { tenant, paymentId }: Subject,
  now: Date,
): Promise<void> {
  const waiting = await rows.notifications
    .find({ "_id.tenant": tenant, paymentId, fanOut: "PENDING" }, { session })
    .sort({ createTime: 1, "_id.id": 1 })
    .toArray();
  if (waiting.length === 0) return;
  const endpoints = await rows.endpoints
    .find({ "_id.tenant": tenant, state: "ENABLED" }, { session })
    .toArray();
  // Every writer of this payment's events changes the counter, so of two that run at once one starts over.
  const counter = await rows.sequences.findOneAndUpdate(
    { _id: key({ tenant }, paymentId) },
    { $inc: { last: waiting.length }, $set: { updateTime: now } },
    { session, upsert: true, returnDocument: "after" },
  );
  const first = (counter?.last ?? waiting.length) - waiting.length + 1;
  const fresh = waiting.flatMap((row, index) =>
    deliveriesOf(row, first + index, endpoints.map(toEndpoint), now),
  );
  if (fresh.length > 0) await rows.deliveries.insertMany(fresh, { session });
  await rows.notifications.updateMany(
    { _id: { $in: waiting.map(({ _id }) => _id) } },
    { $unset: { fanOut: "" } },
    { session },
  );
}

function deliveriesOf(
  row: NotificationRow,
  sequence: number,
  endpoints: readonly Endpoint[],
  now: Date,
): DeliveryRow[] {
  const message = toNotification(row);
  const type = eventOf(message)?.type ?? "";
  const body = eventBody(message, sequence);
  return endpoints
    .filter((endpoint) => wants(endpoint, type))
    .map((endpoint) => ({
      _id: key(row._id, uuidv7(now.getTime())),
      endpointId: endpoint.id,
      eventId: message.id,
      eventType: type,
      paymentId: row.paymentId,
      sequence,
      body,
      state: "PENDING",
      attempts: 0,
      lastStatus: 0,
      lastError: "",
      nextTime: now,
      startTime: now,
      claim: "",
      callId: "",
      createTime: now,
      updateTime: now,
      deliverTime: null,
      expireTime: null,
    }));
}
