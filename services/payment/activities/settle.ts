import { assert } from "#kit/pure/assert.ts";
import { parseMoneyText } from "#kit/pure/money.ts";
import { definiteReason } from "#kit/rpc/errors.ts";
import { activityCall } from "#kit/temporal/call-options.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type { PaymentActivities, SettleOutcome } from "../contract.ts";
import { keysOf } from "../domain/payment.ts";
import type { PaymentActivityDeps } from "./deps.ts";
import { giveUp } from "./gateway.ts";

type Input = Parameters<PaymentActivities["payment::settle"]>[0];

/** Why the provider declines a capture for good. Any other answer, a 401 as well, may follow a capture that was made. */
const CAPTURE_DECLINES = [
  "GATEWAY_DECLINED",
  "GATEWAY_ALREADY_CAPTURED",
  "GATEWAY_TRANSACTION_NOT_FOUND",
  "CAPTURE_EXCEEDS_AUTHORIZED",
] as const;
/** Why the ledger cannot capture the hold although the provider has the money. */
const LOST_HOLD = ["HOLD_ALREADY_RESOLVED", "HOLD_NOT_FOUND", "TRANSACTION_REVERSED"] as const;

/**
 * Takes the money: phase, provider, ledger, final row. Each part repeats by its key, so the whole can die anywhere and run
 * again. Only a definite decline of the provider ends it otherwise; an unknown outcome is thrown and repeated for ever.
 */
export async function settle(deps: PaymentActivityDeps, input: Input): Promise<SettleOutcome> {
  const proposed = parseMoneyText(input.amount);
  const { phase, currencyCode } = await deps.book.claimPhase(input, {
    kind: "CAPTURING",
    amount: proposed.minorUnits,
    requestId: input.requestId,
  });
  if (phase.kind === "UNDOING") return { outcome: "UNDOING", reason: phase.reason };
  assert(phase.kind === "CAPTURING", "a claimed phase is decided");
  // The phase's amount, not the proposed one: of two captures that raced only one was written.
  const amount = { currencyCode, minorUnits: phase.amount };
  const captured = await captureAtProvider(deps, input, amount);
  if (captured === undefined) return { outcome: "DECLINED" };
  await captureInLedger(deps, input, amount);
  await deps.book.succeed(
    input,
    { capturedAmount: amount.minorUnits, ...captured },
    input.eventIds,
  );
  return { outcome: "SUCCEEDED", captured: amount.minorUnits.toString() };
}

interface Amount {
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** Undefined when the provider refuses for good. */
async function captureAtProvider(
  deps: PaymentActivityDeps,
  input: Input,
  amount: Amount,
): Promise<{ readonly gatewayReference: string } | undefined> {
  try {
    const { transaction } = await deps.gateway.capture(
      {
        idempotencyKey: keysOf.capture(input.paymentId),
        authorizationKey: keysOf.authorize(input.paymentId),
        amount,
      },
      activityCall(input.tenant),
    );
    return { gatewayReference: transaction?.gatewayReference ?? "" };
  } catch (error) {
    if (definiteReason(error, CAPTURE_DECLINES) === undefined)
      return callPeer(() => Promise.reject(error));
    // Refused for good, but not every refusal says that the provider keeps nothing: another amount may have been
    // captured, or the authorisation may still come. Given up there first, our own side can be undone.
    await giveUp(deps, input.tenant, input.paymentId, keysOf.void(input.paymentId));
    return undefined;
  }
}

async function captureInLedger(
  deps: PaymentActivityDeps,
  input: Input,
  amount: Amount,
): Promise<void> {
  try {
    await deps.account.captureHold(
      {
        holdId: keysOf.hold(input.paymentId),
        transactionId: keysOf.capture(input.paymentId),
        amount,
      },
      activityCall(input.tenant),
    );
  } catch (error) {
    const lost = definiteReason(error, LOST_HOLD);
    if (lost === undefined) return callPeer(() => Promise.reject(error));
    await postFromSuspense(deps, input, amount, lost);
  }
}

/** The provider has the money but the hold is gone: the books stay balanced through suspense, and a person is told. */
async function postFromSuspense(
  deps: PaymentActivityDeps,
  input: Input,
  amount: Amount,
  reason: string,
): Promise<void> {
  await callPeer(() =>
    deps.account.debit(
      {
        transactionId: keysOf.suspense(input.paymentId),
        accountId: keysOf.suspenseAccount(amount.currencyCode),
        counterAccountId: keysOf.providerAccount(amount.currencyCode),
        amount,
        reference: `payment ${input.paymentId}: ${reason}`,
      },
      activityCall(input.tenant),
    ),
  );
  await deps.book.openTask(
    input,
    "SUSPENSE",
    `captured at the provider, but the hold is gone: ${reason}`,
  );
}
