// Pays, watches, lists and refunds through the client of Settle.
import { createSettleClient, isReason, statusName, toJson } from "@settle-payments/client";

const settle = createSettleClient({
  baseUrl: process.env["SETTLE_URL"] ?? "http://127.0.0.1:8080",
  protocol: "connect",
});

const { payment } = await settle.payment.create({
  accountId: "1",
  // Amounts are bigint: 25n minor units of USD are 0.25 USD.
  amount: { currencyCode: "USD", minorUnits: 25n },
});
const paymentId = payment?.paymentId ?? "";
for await (const { status } of settle.watchPayment(paymentId)) {
  console.log(`${paymentId} is ${statusName(status)}`);
}

const { refund } = await settle.payment.refund({ paymentId });
console.log(`refunded ${refund?.amount?.minorUnits} by ${refund?.refundId}`);

// Asks for the pages itself, as far as they are read. JSON has no bigint: toJson writes one as a decimal string.
for await (const listed of settle.payment.list.all({ accountId: "1", pageSize: 2 })) {
  if (listed.paymentId === paymentId) console.log(JSON.stringify(toJson(listed)));
}

try {
  await settle.payment.refund({ paymentId });
} catch (error) {
  if (!isReason(error, "REFUND_EXCEEDS_CAPTURED", "NOT_REFUNDABLE")) throw error;
  console.log(`no second refund: ${error.reason}`);
}
settle.close();
