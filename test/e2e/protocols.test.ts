import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import type { ServiceName } from "#kit/config.ts";
import { type WireClient, wireClients } from "#test/support/rpc-clients.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

/** Calls one RPC of a service that must succeed and one that must be refused by its rules. */
interface Row {
  readonly service: ServiceName;
  reads(client: WireClient): Promise<unknown>;
  errs(client: WireClient): Promise<unknown>;
}

function row<
  I extends DescMessage,
  O extends DescMessage,
  I2 extends DescMessage,
  O2 extends DescMessage,
>(
  service: ServiceName,
  good: readonly [DescMethodUnary<I, O>, MessageInitShape<I>],
  bad: readonly [DescMethodUnary<I2, O2>, MessageInitShape<I2>],
): Row {
  return {
    service,
    reads: (client) => client.call(...good),
    errs: (client) => client.call(...bad),
  };
}

const account = AccountService.method;
const fraud = FraudService.method;
const notification = NotificationService.method;
const payment = PaymentService.method;
const gateway = GatewayService.method;
const reporting = ReportingService.method;

const rows: readonly Row[] = [
  row("account", [account.listAccounts, {}], [account.getAccount, { accountId: "" }]),
  row("fraud", [fraud.getSettings, {}], [fraud.getCheck, { checkId: "" }]),
  row("notification", [notification.list, {}], [notification.list, { pageSize: -1 }]),
  row("payment", [payment.list, {}], [payment.get, { paymentId: "" }]),
  row("gateway", [gateway.listTransactions, {}], [gateway.listTransactions, { pageSize: -1 }]),
  row(
    "reporting",
    [reporting.audit, {}],
    [reporting.audit, { acknowledgements: [{ requestId: "x".repeat(129) }] }],
  ),
];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

describe.each(rows)("$service", ({ service, reads, errs }) => {
  test("answers and refuses alike through every client", async () => {
    const clients = wireClients(stack.addresses[service]);
    try {
      const seen = clients.map(async (client) => ({
        client: client.name,
        read: await reads(client),
        refused: await errs(client),
      }));
      for (const answers of await Promise.all(seen)) {
        expect(answers).toMatchObject({
          client: answers.client,
          read: { ok: true },
          refused: { ok: false, code: Code.InvalidArgument, reason: "INVALID_FIELD" },
        });
      }
    } finally {
      for (const client of clients) client.close();
    }
  });
});
