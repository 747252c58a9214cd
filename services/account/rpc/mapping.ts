import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Account as AccountMessage,
  AccountSchema,
  AccountState,
  type Entry,
  EntryDirection,
  EntrySchema,
  type Hold as HoldMessage,
  HoldSchema,
  HoldState,
  type Transfer as TransferMessage,
  TransferSchema,
  TransferState,
} from "#gen/account/v1/account_pb.ts";
import type { Money as MoneyMessage } from "#gen/common/v1/money_pb.ts";
import type { Money } from "#kit/pure/money.ts";
import { refuseField } from "#kit/refusal.ts";
import { type Account, availableOf, etagOf } from "../domain/account.ts";
import type { Hold, Transfer } from "../domain/transfer.ts";

const ACCOUNT_STATES = {
  ACTIVE: AccountState.ACTIVE,
  FROZEN: AccountState.FROZEN,
} as const;

const TRANSFER_STATES = {
  POSTED: TransferState.POSTED,
  DECLINED: TransferState.DECLINED,
  TOMBSTONED: TransferState.TOMBSTONED,
} as const;

const HOLD_STATES = {
  HELD: HoldState.HELD,
  CAPTURED: HoldState.CAPTURED,
  RELEASED: HoldState.RELEASED,
  DECLINED: HoldState.DECLINED,
  TOMBSTONED: HoldState.TOMBSTONED,
} as const;

/** A required amount of a request. */
export function moneyOf(message: MoneyMessage | undefined, field = "amount"): Money {
  if (message === undefined) throw refuseField(field, "is required");
  return { currencyCode: message.currencyCode, minorUnits: message.minorUnits };
}

export function accountToMessage(account: Account): AccountMessage {
  const { currencyCode } = account;
  return create(AccountSchema, {
    accountId: account.id,
    ownerId: account.ownerId,
    currencyCode,
    balance: { currencyCode, minorUnits: account.balance },
    held: { currencyCode, minorUnits: account.held },
    available: { currencyCode, minorUnits: availableOf(account) },
    state: ACCOUNT_STATES[account.state],
    version: account.version,
    etag: etagOf(account),
    createTime: timestampFromDate(account.createTime),
    updateTime: timestampFromDate(account.updateTime),
  });
}

/** `reversed` is asked for by reads only: the answer to a Debit stays as it was, whatever came later. */
export function transferToMessage(transfer: Transfer, reversed = false): TransferMessage {
  const { currencyCode } = transfer;
  return create(TransferSchema, {
    transactionId: transfer.id,
    sourceAccountId: transfer.sourceAccountId,
    destinationAccountId: transfer.destinationAccountId,
    ...(currencyCode === "" ? {} : { amount: { currencyCode, minorUnits: transfer.amount } }),
    reference: transfer.reference,
    state: reversed ? TransferState.REVERSED : TRANSFER_STATES[transfer.state],
    reason: transfer.reason,
    reverses: transfer.reverses,
    holdId: transfer.holdId,
    createTime: timestampFromDate(transfer.createTime),
  });
}

export function holdToMessage(hold: Hold): HoldMessage {
  const { currencyCode } = hold;
  return create(HoldSchema, {
    holdId: hold.id,
    accountId: hold.accountId,
    destinationAccountId: hold.destinationAccountId,
    ...(currencyCode === ""
      ? {}
      : {
          amount: { currencyCode, minorUnits: hold.amount },
          capturedAmount: { currencyCode, minorUnits: hold.capturedAmount },
        }),
    state: HOLD_STATES[hold.state],
    reason: hold.reason,
    transactionId: hold.transactionId,
    reference: hold.reference,
    createTime: timestampFromDate(hold.createTime),
    ...(hold.resolveTime ? { resolveTime: timestampFromDate(hold.resolveTime) } : {}),
  });
}

/** A posting as one of its two accounts sees it. */
export function entryToMessage(posting: Transfer, accountId: string): Entry {
  const { currencyCode } = posting;
  const pays = posting.sourceAccountId === accountId;
  const balanceAfter = pays ? posting.sourceBalanceAfter : posting.destinationBalanceAfter;
  return create(EntrySchema, {
    entryId: `${posting.id}/${pays ? "debit" : "credit"}`,
    transactionId: posting.id,
    accountId,
    direction: pays ? EntryDirection.DEBIT : EntryDirection.CREDIT,
    amount: { currencyCode, minorUnits: posting.amount },
    ...(balanceAfter === null ? {} : { balanceAfter: { currencyCode, minorUnits: balanceAfter } }),
    counterAccountId: pays ? posting.destinationAccountId : posting.sourceAccountId,
    reference: posting.reference,
    createTime: timestampFromDate(posting.createTime),
  });
}
