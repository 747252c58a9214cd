import type { Document } from "mongodb";
import { key } from "#kit/mongo/key.ts";
import type { Story } from "./reporting.stories.ts";
import type { Place } from "./reporting.support.ts";

const TENANT = { tenant: "default" };
const USD = "USD";
/** Long before any audit, so that nothing is late by chance. */
const TIME = new Date("2026-01-01T00:00:00Z");

const EVENTS: Readonly<Record<string, readonly [string, string]>> = {
  SUCCEEDED: ["succeeded", "PAYMENT_SUCCEEDED"],
  PARTIALLY_REFUNDED: ["succeeded", "PAYMENT_SUCCEEDED"],
  REFUNDED: ["succeeded", "PAYMENT_SUCCEEDED"],
  FAILED: ["failed", "PAYMENT_FAILED"],
  CANCELLED: ["cancelled", "PAYMENT_CANCELLED"],
};

/** Writes the books that the stories leave behind, balances included. */
export function booksOf(stories: readonly Story[]): ReadonlyMap<Place, readonly Document[]> {
  const transfers = [
    transfer("top-up", "external:funding:USD", "alice", 10_000n),
    ...stories.flatMap(transfersOf),
  ];
  const holds = stories.flatMap(holdOf);
  const ids = ["alice", "external:funding:USD", "provider:mock:USD", "suspense:USD"];
  return new Map<Place, readonly Document[]>([
    ["account.accounts", ids.map((id) => account(id, transfers, holds))],
    ["account.transfers", transfers],
    ["account.holds", holds],
    ["fraud.checks", stories.flatMap(checkOf)],
    ["fraud.tallies", tallyOf(stories.flatMap(checkOf))],
    ["notification.notifications", stories.flatMap(noticesOf)],
    ["payment.payments", stories.map(paymentOf)],
    ["payment.refunds", stories.flatMap(refundsOf)],
    ["payment.callbacks", stories.flatMap(callbackOf)],
    ["payment.tasks", []],
    ["notification.webhook_deliveries", []],
    ["gateway.transactions", stories.flatMap(gatewayOf)],
  ]);
}

/** A posted transfer. */
export function transfer(
  id: string,
  source: string,
  destination: string,
  amount: bigint,
): Document {
  return {
    _id: key(TENANT, id),
    kind: "DEBIT",
    content: id,
    sourceAccountId: source,
    destinationAccountId: destination,
    currencyCode: USD,
    amount,
    reference: "",
    state: "POSTED",
    reason: "",
    facts: [],
    reverses: "",
    holdId: "",
    sourceBalanceAfter: null,
    destinationBalanceAfter: null,
    order: 1n,
    createTime: TIME,
  };
}

function transfersOf({ id, captured, fromSuspense, refunds = [] }: Story): readonly Document[] {
  const payer = fromSuspense ? "suspense:USD" : "alice";
  const name = fromSuspense ? `${id}:suspense` : `${id}:capture`;
  return [
    ...(captured === undefined ? [] : [transfer(name, payer, "provider:mock:USD", captured)]),
    ...refunds
      .filter(({ status }) => status === "SUCCEEDED")
      .map((refund) =>
        transfer(`${refund.id}:refund`, "provider:mock:USD", "alice", refund.amount),
      ),
  ];
}

function holdOf({ id, hold, amount, captured = 0n }: Story): readonly Document[] {
  if (hold === undefined) return [];
  return [
    {
      _id: key(TENANT, `${id}:hold`),
      content: id,
      accountId: "alice",
      destinationAccountId: "provider:mock:USD",
      currencyCode: USD,
      amount,
      capturedAmount: hold === "CAPTURED" ? captured : 0n,
      state: hold,
      reason: hold === "DECLINED" ? "INSUFFICIENT_FUNDS" : "",
      facts: [],
      transactionId: hold === "CAPTURED" ? `${id}:capture` : "",
      reference: "",
      createTime: TIME,
      resolveTime: hold === "HELD" ? null : TIME,
    },
  ];
}

function account(id: string, transfers: readonly Document[], holds: readonly Document[]): Document {
  const sum = (side: string): bigint =>
    transfers.reduce(
      (total, row) => (row[side] === id ? total + BigInt(row["amount"]) : total),
      0n,
    );
  return {
    _id: key(TENANT, id),
    kind: id === "alice" ? "CUSTOMER" : "SYSTEM",
    ownerId: "",
    currencyCode: USD,
    balance: sum("destinationAccountId") - sum("sourceAccountId"),
    held: holds.reduce(
      (total, row) =>
        row["accountId"] === id && row["state"] === "HELD" ? total + BigInt(row["amount"]) : total,
      0n,
    ),
    state: "ACTIVE",
    version: 1n,
    lastOrder: 1n,
    createTime: TIME,
    updateTime: TIME,
    requestId: "",
  };
}

function checkOf({ id, amount, check, status }: Story): readonly Document[] {
  if (check === undefined) return [];
  const released = status === "FAILED" || status === "CANCELLED";
  return [
    {
      _id: key(TENANT, `${id}:fraud-check`),
      paymentId: id,
      accountId: "alice",
      currencyCode: USD,
      amount,
      decision: check,
      rules: [],
      decidedBy: "rules",
      note: "",
      decisionCallId: "",
      released,
      tallied: released || check === "FAIL" ? 0n : amount,
      createTime: TIME,
      decideTime: TIME,
    },
  ];
}

/** What the checks add up to. */
function tallyOf(checks: readonly Document[]): readonly Document[] {
  const amount = checks.reduce((sum, { tallied }) => sum + BigInt(tallied), 0n);
  return [{ _id: key(TENANT, `alice:${USD}`), accountId: "alice", currencyCode: USD, amount }];
}

function noticesOf({ id, status, notifyPending, refunds = [] }: Story): readonly Document[] {
  const final = EVENTS[status];
  return [
    ...(final && !notifyPending ? [notice(`${id}:${final[0]}`, id, final[1])] : []),
    ...refunds
      .filter((refund) => refund.status === "SUCCEEDED")
      .map((refund) => notice(`${refund.id}:refunded`, id, "PAYMENT_REFUNDED")),
  ];
}

/** A stored message. */
export function notice(id: string, paymentId: string, template: string): Document {
  return {
    _id: key(TENANT, id),
    recipient: "alice",
    channel: "EMAIL",
    template,
    variables: [],
    paymentId,
    address: "alice@inbox.test",
    subject: "",
    body: "",
    status: "SENT",
    attempts: 1,
    lastError: "",
    nextTime: TIME,
    claim: "",
    createTime: TIME,
    updateTime: TIME,
    sendTime: TIME,
  };
}

function refundSum({ refunds = [] }: Story, status: string): bigint {
  return refunds.reduce(
    (sum, refund) => (refund.status === status ? sum + refund.amount : sum),
    0n,
  );
}

function paymentOf(story: Story): Document {
  const { id, status, amount, captured = 0n, phase, failure } = story;
  const final = EVENTS[status] !== undefined;
  const phases = {
    OPEN: { kind: "OPEN" },
    CAPTURING: { kind: "CAPTURING", amount: captured, requestId: "" },
    UNDOING: { kind: "UNDOING", reason: failure ?? "" },
  };
  return {
    _id: key(TENANT, id),
    requestId: `request-${id}`,
    requestHash: id,
    accountId: "alice",
    currencyCode: USD,
    amount,
    capturedAmount: captured,
    refundedAmount: refundSum(story, "SUCCEEDED"),
    reservedAmount: refundSum(story, "PENDING"),
    method: { kind: "mock", behaviour: 1, flakyAttempts: 0 },
    captureMode: "AUTOMATIC",
    description: "",
    metadata: [],
    orderId: "",
    status,
    step: "DONE",
    failure: failure ? { reason: failure, message: "", retryable: false } : null,
    phase: phases[phase],
    final,
    notify: story.notifyPending ? EVENTS[status]?.[0] : null,
    gatewayReference: "",
    gatewayStartTime: null,
    captureStartTime: null,
    timeline: [],
    version: 3n,
    createTime: TIME,
    updateTime: TIME,
    finalTime: final ? TIME : null,
    sweepTime: TIME,
  };
}

function refundsOf({ id, refunds = [] }: Story): readonly Document[] {
  return refunds.map((refund) => ({
    _id: key(TENANT, refund.id),
    paymentId: id,
    amount: refund.amount,
    currencyCode: USD,
    status: refund.status,
    reason: "",
    failure: null,
    notify: null,
    version: 1n,
    createTime: TIME,
    updateTime: TIME,
    sweepTime: TIME,
  }));
}

function callbackOf({ id, openCallback }: Story): readonly Document[] {
  const state = openCallback ? "RECEIVED" : "DONE";
  return [{ _id: key(TENANT, `mock:${id}`), eventId: id, paymentId: id, state, updateTime: TIME }];
}

function gatewayOf(story: Story): readonly Document[] {
  const { id, gateway, amount, captured = amount } = story;
  if (gateway === undefined) return [];
  const taken = gateway === "CAPTURED" ? captured : 0n;
  return [
    {
      _id: key(TENANT, `${id}:authorize`),
      gatewayReference: `ref-${id}`,
      order: { merchantReference: id, amount: { currencyCode: USD, minorUnits: amount } },
      state: gateway,
      capturedMinor: taken,
      refundedMinor: story.lateRefund ? taken : refundSum(story, "SUCCEEDED"),
      declineReason: "",
      upcoming: "NONE",
      dropsAnswers: false,
      authorizeTime: TIME,
      createTime: TIME,
      updateTime: TIME,
      version: 1n,
    },
  ];
}
