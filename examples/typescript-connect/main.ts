// Pays, watches and refunds through settle/client. Inside another project the import is "settle/client".
import { createSettleClient, isReason, statusName } from "#client/index.ts";

using settle = createSettleClient({
  baseUrl: process.env["SETTLE_URL"] ?? "http://127.0.0.1:8080",
  protocol: "connect",
});

const { payment } = await settle.payment.create({
  accountId: "1",
  amount: { currencyCode: "USD", minorUnits: 25n },
});
const paymentId = payment?.paymentId ?? "";
for await (const { status } of settle.watchPayment(paymentId)) {
  process.stdout.write(`${paymentId} is ${statusName(status)}\n`);
}

const { refund } = await settle.payment.refund({ paymentId });
process.stdout.write(`refunded ${refund?.amount?.minorUnits} by ${refund?.refundId}\n`);

try {
  await settle.payment.refund({ paymentId });
} catch (error) {
  if (!isReason(error, "REFUND_EXCEEDS_CAPTURED", "NOT_REFUNDABLE")) throw error;
  process.stdout.write(`no second refund: ${error.reason}\n`);
}
