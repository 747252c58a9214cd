import { Code, ConnectError } from "@connectrpc/connect";
import { parseMoneyText } from "#kit/pure/money.ts";
import { isRetryable, reasonOf } from "#kit/rpc/errors.ts";
import { activityCall } from "#kit/temporal/call-options.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type { PaymentActivities, SettleOutcome } from "../contract.ts";
import { keysOf } from "../domain/payment.ts";
import type { PaymentActivityDeps } from "./deps.ts";

type Input = Parameters<PaymentActivities["payment::settle"]>[0];

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
  // The phase's amount, not the proposed one: of two captures that raced only one was written.
  const amount = {
    currencyCode,
    minorUnits: phase.kind === "CAPTURING" ? phase.amount : proposed.minorUnits,
  };
  if (!(await captureAtProvider(deps, input, amount))) return { outcome: "DECLINED" };
  await captureInLedger(deps, input, amount);
  await deps.book.succeed(input, amount.minorUnits, input.eventIds);
  return { outcome: "SUCCEEDED" };
}

interface Amount {
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

async function captureAtProvider(
  deps: PaymentActivityDeps,
  input: Input,
  amount: Amount,
): Promise<boolean> {
  try {
    await deps.gateway.capture(
      {
        idempotencyKey: keysOf.capture(input.paymentId),
        authorizationKey: keysOf.authorize(input.paymentId),
        amount,
      },
      activityCall(input.tenant),
    );
    return true;
  } catch (error) {
    if (reasonOf(error) === "GATEWAY_DECLINED") return false;
    return callPeer(() => Promise.reject(error));
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
    if (isRetryable(error) || !isLostHold(error)) return callPeer(() => Promise.reject(error));
    await postFromSuspense(deps, input, amount, reasonOf(error) ?? "HOLD_NOT_FOUND");
  }
}

function isLostHold(error: unknown): boolean {
  return (
    reasonOf(error) === "HOLD_ALREADY_RESOLVED" ||
    (error instanceof ConnectError && error.code === Code.NotFound)
  );
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
