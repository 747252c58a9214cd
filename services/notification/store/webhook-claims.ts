import { uuidv7 } from "#kit/ids.ts";
import { due } from "#kit/mongo/due.ts";
import { key } from "#kit/mongo/key.ts";
import type { AttemptOutcome, ClaimedDelivery, WebhookStore } from "./webhook-port.ts";
import {
  type DeliveryRow,
  toDelivery,
  toEndpoint,
  type WebhookCollections,
} from "./webhook-rows.ts";

/** Takes one delivery by a lease. One at a time: which endpoints are busy changes with each that is taken. */
export async function claimDelivery(
  rows: WebhookCollections,
  { now, leaseMs, busyEndpoints }: Parameters<WebhookStore["claimDelivery"]>[0],
): Promise<ClaimedDelivery | undefined> {
  const token = uuidv7();
  const row = await rows.deliveries.findOneAndUpdate(
    { state: "PENDING", ...due("nextTime", now), endpointId: { $nin: busyEndpoints } },
    {
      $set: { nextTime: new Date(now.getTime() + leaseMs), claim: token, updateTime: now },
      $inc: { attempts: 1 },
    },
    { sort: { nextTime: 1 }, returnDocument: "after" },
  );
  if (row === null) return undefined;
  const endpoint = await rows.endpoints.findOne({ _id: key(row._id, row.endpointId) });
  const present = endpoint !== null && endpoint.state !== "DELETED";
  return {
    tenant: row._id.tenant,
    delivery: toDelivery(row),
    endpoint: present ? toEndpoint(endpoint) : undefined,
    token,
  };
}

/** A sender that was too slow for its lease must not undo what the next one wrote. */
export async function settleDelivery(
  rows: WebhookCollections,
  { tenant, delivery, token }: ClaimedDelivery,
  outcome: AttemptOutcome,
  keepMs: number,
): Promise<void> {
  await rows.deliveries.updateOne(
    { _id: key({ tenant }, delivery.id), state: "PENDING", claim: token },
    {
      $set: { ...outcomeFields(outcome, keepMs), updateTime: new Date() },
      ...(outcome.kind === "PUT_BACK" && { $inc: { attempts: -1 } }),
    },
  );
}

function outcomeFields(outcome: AttemptOutcome, keepMs: number): Partial<DeliveryRow> {
  switch (outcome.kind) {
    case "DELIVERED":
      return {
        state: "DELIVERED",
        lastStatus: outcome.status,
        lastError: "",
        deliverTime: outcome.time,
        expireTime: new Date(outcome.time.getTime() + keepMs),
      };
    case "RETRY":
      return {
        lastStatus: outcome.status,
        lastError: outcome.error,
        nextTime: outcome.nextTime,
      };
    case "DEAD":
      return { state: "DEAD", lastStatus: outcome.status, lastError: outcome.error };
    case "PUT_BACK":
      return { nextTime: outcome.nextTime };
  }
}
