import { check } from "k6";
import { Counter, Trend } from "k6/metrics";
import { closeClients, isOk } from "../lib/client.js";
import { audit, balanceOf, createPayment, fundedAccount, waitForEnd } from "../lib/payments.js";

const VUS = Number(__ENV.VUS || 4);
const PAYMENTS = Number(__ENV.PAYMENTS || 5);
const AMOUNT = 25;
const SECONDS_MAX = 60;

/** What this script is, for people and for the test that runs it. */
export const scenario = {
  description: `${VUS} clients pay ${PAYMENTS} times each from one account; each payment is awaited, then the books must balance`,
  payments: VUS * PAYMENTS,
};

const accepted = new Counter("settle_accepted");
const settled = new Counter("settle_settled");
const settleTime = new Trend("settle_create_to_final", true);

export const options = {
  scenarios: {
    smoke: {
      executor: "per-vu-iterations",
      vus: VUS,
      iterations: PAYMENTS,
      maxDuration: "5m",
    },
  },
  // The run counts itself: an accepted payment that did not settle, or one that was never made, voids it.
  thresholds: {
    checks: ["rate==1"],
    settle_accepted: [`count==${scenario.payments}`],
    settle_settled: [`count==${scenario.payments}`],
  },
  setupTimeout: "60s",
  teardownTimeout: "60s",
};

/** Pays exactly as much in as the run will spend, so that one lost or doubled payment shows. */
export function setup() {
  const accountId = `load-${Date.now()}`;
  fundedAccount(accountId, AMOUNT * scenario.payments);
  closeClients();
  return { accountId };
}

export default function pay({ accountId }) {
  const start = Date.now();
  const requestId = `${accountId}:${__VU}:${__ITER}`;
  const created = createPayment(requestId, accountId, AMOUNT, {
    mock: { behaviour: "BEHAVIOUR_OK" },
  });
  if (!check(created, { "Create is accepted": isOk })) return;
  accepted.add(1);

  const { paymentId } = created.message.payment;
  const status = waitForEnd(paymentId, SECONDS_MAX);
  settleTime.add(Date.now() - start);
  if (status === "PAYMENT_STATUS_SUCCEEDED") settled.add(1);
  check(status, { "the payment ends SUCCEEDED": (text) => text === "PAYMENT_STATUS_SUCCEEDED" });

  const again = createPayment(requestId, accountId, AMOUNT, {
    mock: { behaviour: "BEHAVIOUR_OK" },
  });
  check(again, {
    "a repeat answers the same payment": ({ message }) => message?.payment.paymentId === paymentId,
  });
}

/** The account is spent to the last unit, nothing is held, and the audit finds nothing. */
export function teardown({ accountId }) {
  const { balance, held } = balanceOf(accountId);
  check(balance, { "the account is spent to the last unit": (units) => units === "0" });
  check(held, { "nothing is held": (units) => units === "0" });
  const found = audit();
  check(found, { "the books balance": ({ ok }) => ok === true });
  if (!found.ok) console.error(JSON.stringify(found.invariants));
  closeClients();
}
