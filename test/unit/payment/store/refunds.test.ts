import { type CommandStartedEvent, MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Payment } from "#services/payment/domain/payment.ts";
import { mongoUri } from "#test/support/env.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  newRefund,
  openPaymentStore,
  type PaymentStoreOfTest,
  settledPayment,
} from "#test/unit/payment/builders.ts";

/** Commands that the driver sent, oldest first. */
const sent: CommandStartedEvent[] = [];
let opened: PaymentStoreOfTest;

beforeAll(async () => {
  const client = await MongoClient.connect(mongoUri(), {
    monitorCommands: true,
    useBigInt64: true,
    // Weaker than production on purpose: the transaction must ask for its own guarantees.
    writeConcern: { w: 1 },
    readConcern: { level: "local" },
  });
  client.on("commandStarted", (command) => sent.push(command));
  opened = await openPaymentStore(client);
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Concerns of the transactions that were committed since the last look. */
function concerns(): readonly object[] {
  const commits = sent.filter(({ commandName }) => commandName === "commitTransaction");
  const reads = sent.filter(({ command }) => command["startTransaction"] === true);
  sent.length = 0;
  return commits.map(({ command }, index) => ({
    write: command["writeConcern"],
    read: reads[index]?.command["readConcern"]?.level,
  }));
}

/** A transaction reads what a majority has, and this client's own writes do not wait for that. */
async function insertDurably(payment: Payment): Promise<void> {
  await opened.store.insertPayment(payment);
  const rows = opened.db.collection("payments", { readConcern: { level: "majority" } });
  await waitUntil(() => rows.findOne({ "_id.id": payment.paymentId }), { everyMs: 5 });
}

const DURABLE = { write: { w: "majority", j: true }, read: "snapshot" };

test("a refund is reserved and ended by majority and journal, so that no crash of the database forgets one half", async () => {
  const { store } = opened;
  await insertDurably(settledPayment());
  sent.length = 0;
  expect(await store.reserveRefund(newRefund(), 60n)).toMatchObject({ refund: { amount: 60n } });
  expect(concerns()).toMatchObject([DURABLE]);
  expect(await store.finishRefund({ tenant: "default" }, "r1", null)).toMatchObject({
    status: "SUCCEEDED",
  });
  expect(concerns()).toMatchObject([DURABLE]);
});

test("a refund that is reserved twice by one id is one, so that a taken-over call pays back once", async () => {
  const { store } = opened;
  const paymentId = "twice";
  await insertDurably(settledPayment({ paymentId }));
  const refund = newRefund({ paymentId, refundId: "twice-1" });
  const first = await store.reserveRefund(refund, 30n);
  expect(await store.reserveRefund(refund, 30n)).toEqual(first);
  const payment = await store.findPayment({ tenant: "default" }, paymentId);
  expect(payment?.reservedAmount).toBe(30n);
});

test("the timeline of a payment with a hundred refunds stays short, and its last entry says what they sum to", async () => {
  const { store } = opened;
  const paymentId = "hundred";
  await insertDurably(settledPayment({ paymentId }));
  for (let index = 0; index < 100; index += 1) {
    const refundId = `hundred-${index}`;
    await store.reserveRefund(newRefund({ paymentId, refundId }), 1n);
    await store.finishRefund({ tenant: "default" }, refundId, null);
  }
  const payment = await store.findPayment({ tenant: "default" }, paymentId);
  expect(payment).toMatchObject({ status: "REFUNDED", refundedAmount: 100n });
  const timeline = payment?.timeline ?? [];
  expect(timeline).toHaveLength(51);
  expect(timeline[0]?.message).toBe("accepted");
  expect(timeline[1]?.message).toBe("refunded 1 USD minor units");
  expect(timeline.at(-1)).toMatchObject({
    status: "REFUNDED",
    message: "refunded 100 USD minor units in all",
  });
});
