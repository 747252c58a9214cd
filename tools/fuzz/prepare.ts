import type { Client } from "@connectrpc/connect";
import type { AccountService } from "#gen/account/v1/account_pb.ts";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { CaptureMode, type PaymentService, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import type { KnownIds } from "./messages.ts";

/** Clients of the services that have to have something in them. */
export interface PrepareClients {
  readonly account: Client<typeof AccountService>;
  readonly payment: Client<typeof PaymentService>;
}

const START_MINOR_UNITS = 1_000_000n;

/** Payments to meet: settled, declined, waiting for Capture, cancelled. */
const PAYMENTS = [
  { behaviour: Behaviour.OK, captureMode: CaptureMode.AUTOMATIC },
  { behaviour: Behaviour.DECLINE, captureMode: CaptureMode.AUTOMATIC },
  { behaviour: Behaviour.OK, captureMode: CaptureMode.MANUAL },
  { behaviour: Behaviour.CALLBACK, captureMode: CaptureMode.AUTOMATIC },
] as const;

/** Makes accounts and payments for the requests to meet, and answers their ids in a fixed order. */
export async function prepare(
  { account, payment }: PrepareClients,
  run: string,
): Promise<KnownIds> {
  const accountIds = [`${run}-a`, `${run}-b`, `${run}-poor`];
  for (const [index, accountId] of accountIds.entries()) {
    await account.createAccount({
      account: { accountId, currencyCode: "USD", ownerId: `${run}-owner-${index}` },
    });
    if (index === 2) continue;
    const amount = { currencyCode: "USD", minorUnits: START_MINOR_UNITS };
    await account.credit({ transactionId: `fund-${accountId}`, accountId, amount });
  }
  const paymentIds = await Promise.all(
    PAYMENTS.map(async ({ behaviour, captureMode }) => {
      const created = await payment.create({
        accountId: `${run}-a`,
        amount: { currencyCode: "USD", minorUnits: 100n },
        captureMode,
        paymentMethod: { method: { case: "mock", value: { behaviour } } },
        waitUntil: WaitUntil.COMPLETED,
      });
      return created.payment?.paymentId ?? "";
    }),
  );
  return {
    account_id: [...accountIds, "1", "2"],
    counter_account_id: accountIds,
    destination_account_id: accountIds,
    user_id: accountIds.map((_, index) => `${run}-owner-${index}`),
    payment_id: paymentIds,
    workflow_id: paymentIds.map((id) => `payment-${id}`),
    authorization_key: paymentIds.map((id) => `${id}:authorize`),
  };
}
