import { uuidv7 } from "#kit/ids.ts";
import type { Money } from "#kit/pure/money.ts";
import { mayUse, type Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { asAccepted, type Payment, type PaymentMethod, type WaitUntil } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { resumePayment } from "./resume-payment.ts";
import { waitFor } from "./wait-for.ts";

/** A parsed request for a payment. */
export interface NewPayment {
  /** Empty: made here, and a repeat is another payment. */
  readonly requestId: string;
  readonly requestHash: string;
  /** Exactly one of these two is set. */
  readonly accountId: string;
  readonly userId: string;
  readonly amount: Money;
  readonly method: PaymentMethod;
  readonly captureMode: "AUTOMATIC" | "MANUAL";
  readonly description: string;
  readonly metadata: Payment["metadata"];
  readonly orderId: string;
  readonly waitUntil: WaitUntil;
  readonly waitTimeoutMs: number;
}

/** The accepted payment; `runId` is empty when the start is left to the sweeper. */
export interface CreatedPayment {
  readonly payment: Payment;
  readonly runId: string;
}

/**
 * Accepts a payment: the row first, which is claim and stored answer in one, then the workflow. Once the row is
 * committed the answer is OK whatever Temporal says, and the sweeper starts what could not be started here. Fails with
 * REQUEST_ID_REUSED, and ACCOUNT_NOT_FOUND for a user without an account in the currency.
 */
export async function createPayment(
  deps: PaymentDeps,
  scope: Scope,
  request: NewPayment,
  signal?: AbortSignal,
): Promise<CreatedPayment> {
  const accountId = request.accountId || (await accountOfUser(deps, scope, request));
  // Before the row and the stored answer: a payer must not learn of another's account, nor of its request ids.
  if (!mayUse(scope, accountId)) throw accountNotFound(accountId);
  const accepted = await deps.store.insertPayment(newRow(deps, scope, request, accountId));
  if (!accepted.inserted && accepted.payment.requestHash !== request.requestHash) {
    throw new Refusal("REQUEST_ID_REUSED", { metadata: { request_id: request.requestId } });
  }
  const runId = accepted.payment.final ? "" : await startOrLeave(deps, accepted);
  if (request.waitUntil === "ACCEPTED") return { payment: asAccepted(accepted.payment), runId };
  const payment = await waitFor(deps, scope, accepted.payment.paymentId, {
    until: request.waitUntil,
    timeoutMs: request.waitTimeoutMs,
    ...(signal ? { signal } : {}),
  });
  return { payment, runId };
}

/** What a payer is told about an account that is not there, or not its own. */
export function accountNotFound(accountId: string): Refusal {
  return new Refusal("ACCOUNT_NOT_FOUND", {
    message: `there is no account ${accountId}`,
    metadata: { account_id: accountId },
  });
}

/** A repeat may meet a payment whose saga was lost; it goes on from the row, as the sweeper's start would. */
async function startOrLeave(
  deps: PaymentDeps,
  { inserted, payment }: { readonly inserted: boolean; readonly payment: Payment },
): Promise<string> {
  try {
    const start = await (inserted
      ? deps.workflows.startPayment(payment)
      : resumePayment(deps, payment));
    return start.started ? start.runId : "";
  } catch (error) {
    deps.log.warn({ err: error, paymentId: payment.paymentId }, "start is left to the sweeper");
    return "";
  }
}

/** The owner's account in the amount's currency; unique per tenant, owner and currency. */
async function accountOfUser(
  deps: PaymentDeps,
  scope: Scope,
  request: NewPayment,
): Promise<string> {
  const { userId, amount } = request;
  const accountId = await deps.peers.accountOf(scope, userId, amount.currencyCode);
  if (accountId !== undefined && mayUse(scope, accountId)) return accountId;
  throw new Refusal("ACCOUNT_NOT_FOUND", {
    message: `user ${userId} has no account in ${amount.currencyCode}; open one with CreateAccount`,
    metadata: { user_id: userId, currency_code: amount.currencyCode },
  });
}

function newRow(deps: PaymentDeps, scope: Scope, request: NewPayment, accountId: string): Payment {
  const now = new Date();
  const paymentId = uuidv7(now.getTime());
  return {
    tenant: scope.tenant,
    paymentId,
    subject: scope.subject,
    requestId: request.requestId || paymentId,
    requestHash: request.requestHash,
    accountId,
    currencyCode: request.amount.currencyCode,
    amount: request.amount.minorUnits,
    capturedAmount: 0n,
    refundedAmount: 0n,
    reservedAmount: 0n,
    method: request.method,
    captureMode: request.captureMode,
    description: request.description,
    metadata: request.metadata,
    orderId: request.orderId,
    status: "PENDING",
    step: "INITIALIZE",
    failure: null,
    phase: { kind: "OPEN" },
    final: false,
    notify: null,
    gatewayReference: "",
    gatewayStartTime: null,
    captureStartTime: null,
    timeline: [{ time: now, status: "PENDING", step: "INITIALIZE", message: "accepted" }],
    version: 1n,
    createTime: now,
    updateTime: now,
    finalTime: null,
    sweepTime: new Date(now.getTime() + deps.sweepAfterMs),
  };
}
