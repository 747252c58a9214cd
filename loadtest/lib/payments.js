import { sleep } from "k6";
import { call, mustCall } from "./client.js";

const FINAL = new Set([
  "PAYMENT_STATUS_SUCCEEDED",
  "PAYMENT_STATUS_FAILED",
  "PAYMENT_STATUS_CANCELLED",
  "PAYMENT_STATUS_PARTIALLY_REFUNDED",
  "PAYMENT_STATUS_REFUNDED",
]);

/** An account with so many minor units of USD, paid in from outside. */
export function fundedAccount(accountId, minorUnits) {
  mustCall("account", "account.v1.AccountService/CreateAccount", {
    request_id: `${accountId}:create`,
    account: { account_id: accountId, currency_code: "USD" },
  });
  mustCall("account", "account.v1.AccountService/Credit", {
    transaction_id: `${accountId}:fund`,
    account_id: accountId,
    amount: usd(minorUnits),
    reference: "load test",
  });
}

/** Balance and held amount of an account as decimal texts of minor units. */
export function balanceOf(accountId) {
  const { account } = mustCall("account", "account.v1.AccountService/GetAccount", {
    account_id: accountId,
  });
  return { balance: minorUnits(account.balance), held: minorUnits(account.held) };
}

/** Creates a payment and answers the gRPC response as it is, also a refusal. */
export function createPayment(requestId, accountId, amount, method) {
  return call("payment", "payment.v1.PaymentService/Create", {
    request_id: requestId,
    account_id: accountId,
    amount: usd(amount),
    payment_method: method,
  });
}

/** Asks until the payment is final, at most `secondsMax`; answers the last status seen. */
export function waitForEnd(paymentId, secondsMax) {
  const end = Date.now() + secondsMax * 1000;
  for (;;) {
    const { status } = mustCall("payment", "payment.v1.PaymentService/GetStatus", {
      payment_id: paymentId,
    });
    if (FINAL.has(status) || Date.now() > end) return status;
    sleep(0.05);
  }
}

/** The audit's answer: every invariant over everything the services have stored. */
export function audit() {
  return mustCall("reporting", "reporting.v1.ReportingService/Audit", {});
}

function usd(amount) {
  return { currency_code: "USD", minor_units: String(amount) };
}

function minorUnits(money) {
  return String(money?.minorUnits || "0");
}
