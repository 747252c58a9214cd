import { type Transaction, TransactionState } from "#gen/gateway/v1/gateway_pb.ts";
import { assert } from "#kit/pure/assert.ts";
import { parseMoneyText } from "#kit/pure/money.ts";
import { definiteReason } from "#kit/rpc/errors.ts";
import { activityCall } from "#kit/temporal/call-options.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type { AuthorizeOutcome, PaymentActivities, PaymentRef, VoidOutcome } from "../contract.ts";
import { keysOf, methodInit, type Payment } from "../domain/payment.ts";
import type { PaymentActivityDeps } from "./deps.ts";

/** Asks the provider for the authorisation. A stored refusal is a decline; anything else is unknown, thrown and repeated. */
export async function authorize(
  deps: PaymentActivityDeps,
  input: Parameters<PaymentActivities["gateway::authorize"]>[0],
): Promise<AuthorizeOutcome> {
  const { tenant, paymentId } = input;
  try {
    const { transaction } = await deps.gateway.authorize(
      {
        idempotencyKey: keysOf.authorize(paymentId),
        merchantReference: paymentId,
        amount: parseMoneyText(input.amount),
        paymentMethod: methodInit(input.method),
      },
      activityCall(tenant),
    );
    if (transaction?.state === TransactionState.PENDING) {
      await deps.book.park(input, {
        status: "PROCESSING",
        step: "AWAIT_CALLBACK",
        message: "the provider answers by callback",
        gatewayReference: transaction.gatewayReference,
        gatewayStartTime: new Date(input.gatewayStartMs),
      });
    }
    return toOutcome(transaction);
  } catch (error) {
    const declined = definiteReason(error, ["GATEWAY_DECLINED"]);
    if (declined === undefined) return callPeer(() => Promise.reject(error));
    return { outcome: "DECLINED", message: declined };
  }
}

/** Reads what became of the authorisation; a provider that never saw it is UNKNOWN. */
export async function queryGateway(
  deps: PaymentActivityDeps,
  { tenant, paymentId }: PaymentRef,
): Promise<AuthorizeOutcome> {
  return toOutcome(await findTransaction(deps, tenant, paymentId));
}

/**
 * Decides UNDOING, then makes the provider give up the authorisation. Captured money is given back under a key of its own.
 * Throws while the provider has not said which it is: nothing is released on an unknown outcome.
 */
export async function voidAuthorization(
  deps: PaymentActivityDeps,
  input: PaymentRef & { readonly reason: string },
): Promise<VoidOutcome> {
  const { tenant, paymentId } = input;
  const { phase } = await deps.book.claimPhase(input, { kind: "UNDOING", reason: input.reason });
  if (phase.kind === "CAPTURING") {
    return { outcome: "CAPTURING", amount: phase.amount.toString(), requestId: phase.requestId };
  }
  assert(phase.kind === "UNDOING", "a claimed phase is decided");
  await giveUp(deps, tenant, paymentId, keysOf.void(paymentId));
  return { outcome: "VOIDED", reason: phase.reason };
}

/**
 * Makes both books agree. Of a payment that took nothing, an authorisation that came to life late is voided and captured
 * money given back. What the provider did by itself is booked: its refunds of a settled payment, its void of one that waits.
 * Then the callbacks that asked for it are done.
 */
export async function reconcile(
  deps: PaymentActivityDeps,
  input: PaymentRef,
): Promise<{ action: string }> {
  const { tenant, paymentId } = input;
  const events = await deps.book.pendingEvents(input);
  const payment = await deps.book.find(input);
  const keepsNothing = payment.final && payment.capturedAmount === 0n;
  const action = keepsNothing
    ? await giveUpAlive(deps, tenant, paymentId)
    : await bookProviderNews(deps, input, payment);
  // An open payment's own run records the answers to its authorisation, and a refund can be booked only once it is settled.
  const done = events.filter(({ outcome }) => payment.final || outcome === "VOIDED");
  await deps.book.finishEvents(
    input,
    done.map(({ eventId }) => eventId),
  );
  return { action };
}

async function bookProviderNews(
  deps: PaymentActivityDeps,
  input: PaymentRef,
  { phase, final }: Payment,
): Promise<"none" | "undone" | "booked"> {
  const transaction = await findTransaction(deps, input.tenant, input.paymentId);
  if (phase.kind === "OPEN" && transaction?.state === TransactionState.VOIDED) {
    await deps.book.voidedByProvider(input);
    return "undone";
  }
  const refunds = final ? (transaction?.providerRefunds ?? []) : [];
  for (const { key, amount } of refunds)
    await deps.book.refundedByProvider(input, { key, minorUnits: amount?.minorUnits ?? 0n });
  return refunds.length > 0 ? "booked" : "none";
}

/** Gives up whatever the provider still has of an undone payment, for example what came to life after its void. */
export async function giveUpAlive(
  deps: PaymentActivityDeps,
  tenant: string,
  paymentId: string,
): Promise<"none" | "voided" | "refunded"> {
  const transaction = await findTransaction(deps, tenant, paymentId);
  if (!isAlive(transaction)) return "none";
  await giveUp(deps, tenant, paymentId, keysOf.void(paymentId));
  return transaction.state === TransactionState.CAPTURED ? "refunded" : "voided";
}

function isAlive(transaction: Transaction | undefined): transaction is Transaction {
  if (transaction?.state === TransactionState.AUTHORIZED) return true;
  return transaction?.state === TransactionState.CAPTURED && keepsMoney(transaction);
}

function keepsMoney({ capturedAmount, refundedAmount }: Transaction): boolean {
  return (capturedAmount?.minorUnits ?? 0n) > (refundedAmount?.minorUnits ?? 0n);
}

/** Voids under the key, or gives back what was captured; returns only when the provider keeps nothing of the payer's. */
export async function giveUp(
  deps: PaymentActivityDeps,
  tenant: string,
  paymentId: string,
  voidKey: string,
): Promise<void> {
  const authorizationKey = keysOf.authorize(paymentId);
  const options = activityCall(tenant);
  const { transaction } = await callPeer(() =>
    deps.gateway.void({ idempotencyKey: voidKey, authorizationKey }, options),
  );
  switch (transaction?.state) {
    case TransactionState.VOIDED:
    case TransactionState.DECLINED:
      return;
    case TransactionState.CAPTURED:
      // Somebody else may have given it back already; a refund of nothing would be refused for good.
      if (!keepsMoney(transaction)) return;
      await callPeer(() =>
        deps.gateway.refund(
          { idempotencyKey: keysOf.lateRefund(paymentId), authorizationKey },
          options,
        ),
      );
      return;
    case TransactionState.AUTHORIZED:
      // It came to life after our void had taken effect: only a void under a new key can take effect again.
      return giveUp(deps, tenant, paymentId, `${voidKey}:again`);
    default:
      throw new Error(`the provider has not voided ${authorizationKey} yet`);
  }
}

async function findTransaction(
  deps: PaymentActivityDeps,
  tenant: string,
  paymentId: string,
): Promise<Transaction | undefined> {
  try {
    const request = { authorizationKey: keysOf.authorize(paymentId) };
    return (await deps.gateway.getTransaction(request, activityCall(tenant))).transaction;
  } catch (error) {
    if (definiteReason(error, ["GATEWAY_TRANSACTION_NOT_FOUND"])) return undefined;
    return callPeer(() => Promise.reject(error));
  }
}

function toOutcome(transaction: Transaction | undefined): AuthorizeOutcome {
  switch (transaction?.state) {
    case TransactionState.AUTHORIZED:
    case TransactionState.CAPTURED:
      return { outcome: "AUTHORIZED" };
    case TransactionState.DECLINED:
      return { outcome: "DECLINED", message: transaction.declineReason || "the provider declined" };
    case TransactionState.VOIDED:
      return { outcome: "VOIDED" };
    case TransactionState.PENDING:
      return { outcome: "PENDING" };
    default:
      return { outcome: "UNKNOWN" };
  }
}
