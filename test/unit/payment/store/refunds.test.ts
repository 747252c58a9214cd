import { type CommandStartedEvent, MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mongoUri } from "#test/support/env.ts";
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

const DURABLE = { write: { w: "majority", j: true }, read: "snapshot" };

test("a refund is reserved and ended by majority and journal, so that no crash of the database forgets one half", async () => {
  const { store } = opened;
  await store.insertPayment(settledPayment());
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
  await store.insertPayment(settledPayment({ paymentId }));
  const refund = newRefund({ paymentId, refundId: "twice-1" });
  const first = await store.reserveRefund(refund, 30n);
  expect(await store.reserveRefund(refund, 30n)).toEqual(first);
  const payment = await store.findPayment({ tenant: "default" }, paymentId);
  expect(payment?.reservedAmount).toBe(30n);
});
