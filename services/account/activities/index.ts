import { type Client, ConnectError } from "@connectrpc/connect";
import type { AccountService } from "#gen/account/v1/account_pb.ts";
import { parseMoneyText } from "#kit/pure/money.ts";
import { definiteReason, metadataOf, reasonOf } from "#kit/rpc/errors.ts";
import { activityCall } from "#kit/temporal/call-options.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type {
  AccountActivities,
  CreditAccountInput,
  CreditAccountResult,
  DebitAccountInput,
  DebitAccountResult,
  ReverseTransferInput,
  ValidateAccountInput,
  ValidateAccountResult,
} from "../contract.ts";

/** What the activities work with. */
export interface AccountActivityDeps {
  readonly account: Pick<
    Client<typeof AccountService>,
    "validate" | "placeHold" | "releaseHold" | "reverse"
  >;
}

/** The ledger steps of a saga, keyed by activity name. Every one may run any number of times. */
export function createAccountActivities(deps: AccountActivityDeps): AccountActivities {
  return {
    "account::validate": (input) => callPeer(() => validateAccount(deps, input)),
    "account::debit": (input) => callPeer(() => debitAccount(deps, input)),
    "account::credit": (input) => callPeer(() => creditAccount(deps, input)),
    "account::reverse": (input) => callPeer(() => reverseTransfer(deps, input)),
  };
}

/** Why the ledger declines a hold for good; under any other reason it may stand or still be placed. */
const HOLD_DECLINES = [
  "ACCOUNT_NOT_FOUND",
  "ACCOUNT_FROZEN",
  "INSUFFICIENT_FUNDS",
  "BALANCE_OVERFLOW",
  "CURRENCY_MISMATCH",
  "TRANSACTION_REVERSED",
] as const;

async function validateAccount(
  deps: AccountActivityDeps,
  input: ValidateAccountInput,
): Promise<ValidateAccountResult> {
  const amount = parseMoneyText(input.amount);
  const request = { accountId: input.accountId, amount };
  const { valid, reason } = await deps.account.validate(request, activityCall(input.tenant));
  return { valid, reason };
}

async function debitAccount(
  deps: AccountActivityDeps,
  input: DebitAccountInput,
): Promise<DebitAccountResult> {
  const { holdId, accountId, destinationAccountId, reference } = input;
  const amount = parseMoneyText(input.amount);
  const request = { holdId, accountId, destinationAccountId, reference, amount };
  try {
    await deps.account.placeHold(request, activityCall(input.tenant));
    return { outcome: "HELD" };
  } catch (error) {
    const reason = definiteReason(error, HOLD_DECLINES);
    if (reason === undefined) throw error;
    const message = error instanceof ConnectError ? error.rawMessage : String(error);
    return { outcome: "DECLINED", reason, message };
  }
}

async function creditAccount(
  deps: AccountActivityDeps,
  input: CreditAccountInput,
): Promise<CreditAccountResult> {
  try {
    await deps.account.releaseHold({ holdId: input.holdId }, activityCall(input.tenant));
    return { outcome: "RELEASED" };
  } catch (error) {
    const resolved = reasonOf(error) === "HOLD_ALREADY_RESOLVED";
    if (resolved && metadataOf(error)["state"] === "CAPTURED") {
      return { outcome: "ALREADY_CAPTURED" };
    }
    throw error;
  }
}

async function reverseTransfer(
  deps: AccountActivityDeps,
  { tenant, transactionId, reason }: ReverseTransferInput,
): Promise<Record<string, never>> {
  await deps.account.reverse({ transactionId, reason }, activityCall(tenant));
  return {};
}
