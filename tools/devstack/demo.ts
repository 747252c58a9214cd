import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import {
  type Payment,
  PaymentService,
  PaymentStatus,
  WaitUntil,
} from "#gen/payment/v1/payment_pb.ts";
import type { AuditResponse } from "#gen/reporting/v1/reporting_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import type { Stack } from "./stack.ts";

/** Who pays in the demo; opened by the seed. */
export const DEMO_ACCOUNT = "alice-checking";
const CURRENCY = "USD";
/** Price of the demo's purchase, in minor units. */
const DEMO_AMOUNT = 1_250n;
/** Below this the account is topped up, by the same amount each time. */
const LOW_BALANCE = 10_000n;
const TOP_UP = 100_000n;

/** At most this long until the payment is final. */
const FINAL_DEADLINE_MS = 60_000;
/** The server's own limit for one waiting call. */
const WAIT_CALL_MS = 30_000;

const OPEN: readonly PaymentStatus[] = [
  PaymentStatus.UNSPECIFIED,
  PaymentStatus.PENDING,
  PaymentStatus.PROCESSING,
];

/** Where the services are, and who calls. */
type Place = Pick<Stack, "url" | "reach">;

const calling = (timeoutMs?: number) => onBehalfOf({ tenant: "default" }, { timeoutMs });

/** Tops the demo account up when it is low, pays from it over gRPC, and waits for the end. */
export async function payDemo(stack: Place): Promise<Payment> {
  await topUp(stack);
  const payments = createPeer(PaymentService, stack.url("payment"), stack.reach.identity);
  const created = await payments.create(
    {
      requestId: `demo-${randomUUID()}`,
      accountId: DEMO_ACCOUNT,
      amount: { currencyCode: CURRENCY, minorUnits: DEMO_AMOUNT },
      description: "The first coffee",
      waitUntil: WaitUntil.COMPLETED,
    },
    calling(WAIT_CALL_MS),
  );
  let { payment } = created;
  const deadline = Date.now() + FINAL_DEADLINE_MS;
  while (payment !== undefined && OPEN.includes(payment.status) && Date.now() < deadline) {
    await delay(200);
    ({ payment } = await payments.get({ paymentId: payment.paymentId }, calling()));
  }
  if (payment === undefined) throw new Error("PaymentService.Create answered without a payment");
  return payment;
}

async function topUp(stack: Place): Promise<void> {
  const accounts = createPeer(AccountService, stack.url("account"), stack.reach.identity);
  const { account } = await accounts.getAccount({ accountId: DEMO_ACCOUNT }, calling());
  if ((account?.available?.minorUnits ?? 0n) >= LOW_BALANCE) return;
  const topUpOrder = {
    transactionId: `demo-top-up-${randomUUID()}`,
    accountId: DEMO_ACCOUNT,
    amount: { currencyCode: CURRENCY, minorUnits: TOP_UP },
    reference: "demo top-up",
  };
  await accounts.credit(topUpOrder, calling());
}

/** Asks reporting to prove the books. */
export async function auditBooks(stack: Place): Promise<AuditResponse> {
  const reporting = createPeer(ReportingService, stack.url("reporting"), stack.reach.identity);
  return await reporting.audit({}, calling(WAIT_CALL_MS));
}
