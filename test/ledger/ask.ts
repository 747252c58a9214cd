import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { captureHold } from "#services/account/application/capture-hold.ts";
import { credit } from "#services/account/application/credit.ts";
import { debit } from "#services/account/application/debit.ts";
import { placeHold } from "#services/account/application/place-hold.ts";
import type { AccountDeps } from "#services/account/application/ports.ts";
import { releaseHold } from "#services/account/application/release-hold.ts";
import { reverse } from "#services/account/application/reverse.ts";
import type { Op } from "./model.ts";

/** Asks the real ledger and writes its answer as the model writes it. */
export async function ask(deps: AccountDeps, scope: Scope, op: Op): Promise<string> {
  try {
    return await accepted(deps, scope, op);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const state = error.reason === "HOLD_ALREADY_RESOLVED" ? ` ${error.metadata["state"]}` : "";
    return `no ${error.reason}${state}`;
  }
}

async function accepted(deps: AccountDeps, scope: Scope, op: Op): Promise<string> {
  switch (op.op) {
    case "debit":
    case "credit":
      return transferLine(deps, scope, op);
    case "hold": {
      const { account, destination, currency } = op;
      const hold = await placeHold(deps, scope, {
        holdId: op.id,
        accountId: account,
        destinationAccountId: destination,
        amount: { currencyCode: currency, minorUnits: op.amount },
        reference: "",
      });
      return `hold ${hold.state} ${hold.amount} captured ${hold.capturedAmount}`;
    }
    case "capture":
      return captureLine(deps, scope, op);
    case "release": {
      const hold = await releaseHold(deps, scope, op.hold);
      return `hold ${hold.state}`;
    }
    case "reverse": {
      const answer = await reverse(deps, scope, { transactionId: op.id, reason: "" });
      return `reversed ${answer.reversal?.amount ?? answer.transfer.state}`;
    }
  }
}

async function transferLine(
  deps: AccountDeps,
  scope: Scope,
  op: Extract<Op, { op: "debit" | "credit" }>,
): Promise<string> {
  const { transfer, balanceAfter } = await (op.op === "debit" ? debit : credit)(deps, scope, {
    transactionId: op.id,
    accountId: op.account,
    counterAccountId: op.counter,
    amount: { currencyCode: op.currency, minorUnits: op.amount },
    reference: "",
  });
  return `posted ${transfer.amount} balance ${balanceAfter}`;
}

async function captureLine(
  deps: AccountDeps,
  scope: Scope,
  op: Extract<Op, { op: "capture" }>,
): Promise<string> {
  const amount = op.amount === null ? null : { currencyCode: op.currency, minorUnits: op.amount };
  const asked = { holdId: op.hold, transactionId: op.id, amount };
  const { hold, transfer } = await captureHold(deps, scope, asked);
  return `captured ${transfer.amount} of ${hold.amount}`;
}
