import type { Db, MongoClient } from "mongodb";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import type { Payment, Refund } from "#services/payment/domain/payment.ts";
import { paymentMigrations } from "#services/payment/store/migrations.ts";
import { createPaymentStore, type PaymentStore } from "#services/payment/store/payment-store.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

const NOW = new Date("2030-01-01T00:00:00Z");

/** A payment of 1.00 USD that was just accepted. */
export function acceptedPayment(change: Partial<Payment> = {}): Payment {
  const paymentId = change.paymentId ?? "p1";
  return {
    tenant: "default",
    paymentId,
    subject: "till",
    requestId: `request-${paymentId}`,
    requestHash: `hash-${paymentId}`,
    accountId: "alice",
    currencyCode: "USD",
    amount: 100n,
    capturedAmount: 0n,
    refundedAmount: 0n,
    reservedAmount: 0n,
    method: { kind: "mock", behaviour: 0, flakyAttempts: 0 },
    captureMode: "AUTOMATIC",
    description: "",
    metadata: [],
    orderId: "",
    status: "PENDING",
    step: "INITIALIZE",
    failure: null,
    phase: { kind: "OPEN" },
    final: false,
    notify: null,
    gatewayReference: "",
    gatewayStartTime: null,
    captureStartTime: null,
    timeline: [{ time: NOW, status: "PENDING", step: "INITIALIZE", message: "accepted" }],
    version: 1n,
    createTime: NOW,
    updateTime: NOW,
    finalTime: null,
    sweepTime: NOW,
    ...change,
  };
}

/** A payment of 1.00 USD that was taken in full. */
export function settledPayment(change: Partial<Payment> = {}): Payment {
  return acceptedPayment({
    status: "SUCCEEDED",
    step: "DONE",
    capturedAmount: 100n,
    phase: { kind: "CAPTURING", amount: 100n, requestId: "" },
    final: true,
    finalTime: NOW,
    ...change,
  });
}

/** A refund that is about to be reserved. */
export function newRefund(change: Partial<Refund> = {}): Omit<Refund, "amount"> {
  return {
    tenant: "default",
    refundId: "r1",
    paymentId: "p1",
    currencyCode: "USD",
    status: "PENDING",
    reason: "",
    failure: null,
    notify: null,
    version: 1n,
    createTime: NOW,
    updateTime: NOW,
    sweepTime: NOW,
    ...change,
  };
}

/** Payment's store on the run's mongod, in a database that nobody else uses. */
export interface PaymentStoreOfTest extends AsyncDisposable {
  readonly client: MongoClient;
  readonly db: Db;
  readonly store: PaymentStore;
}

/** Opens it; `client` is another than the run's usual one when a test listens to its commands. */
export async function openPaymentStore(client?: MongoClient): Promise<PaymentStoreOfTest> {
  const own = client ?? (await connectMongo(mongoUri()));
  const db = own.db(`${freshPrefix()}_payment`);
  await migrate(db, paymentMigrations);
  return {
    client: own,
    db,
    store: createPaymentStore(db),
    async [Symbol.asyncDispose]() {
      await db.dropDatabase();
      await own.close();
    },
  };
}
