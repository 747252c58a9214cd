import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Money as MoneyMessage, MoneySchema } from "#gen/common/v1/money_pb.ts";
import {
  type PaymentMethod,
  PaymentMethod_Mock_Behaviour as Wire,
} from "#gen/common/v1/payment_method_pb.ts";
import {
  type Transaction as TransactionMessage,
  TransactionSchema,
  TransactionState as WireState,
} from "#gen/gateway/v1/gateway_pb.ts";
import { isCurrency } from "#kit/pure/currency.ts";
import { type Money, REQUEST_AMOUNT_MAX } from "#kit/pure/money.ts";
import { refuseField } from "#kit/refusal.ts";
import type { GatewayConfig } from "../config.ts";
import type { Behaviour, Method } from "../domain/behaviour.ts";
import type { Transaction, TransactionState } from "../domain/transaction.ts";

const STATES: Readonly<Record<TransactionState, WireState>> = {
  PENDING: WireState.PENDING,
  AUTHORIZED: WireState.AUTHORIZED,
  CAPTURED: WireState.CAPTURED,
  VOIDED: WireState.VOIDED,
  DECLINED: WireState.DECLINED,
};

const BEHAVIOURS: ReadonlyMap<Wire, Behaviour> = new Map([
  [Wire.OK, "OK"],
  [Wire.CALLBACK, "CALLBACK"],
  [Wire.FLAKY, "FLAKY"],
  [Wire.DECLINE, "DECLINE"],
  [Wire.HANG, "HANG"],
  [Wire.APPLY_THEN_DROP, "APPLY_THEN_DROP"],
  [Wire.DUPLICATE_CALLBACK, "DUPLICATE_CALLBACK"],
  [Wire.LATE_CALLBACK, "LATE_CALLBACK"],
  [Wire.FORGED_CALLBACK, "FORGED_CALLBACK"],
  [Wire.NO_CALLBACK, "NO_CALLBACK"],
]);

/** The transaction as callers see it. A tombstone has no merchant reference and no amounts yet. */
export function toTransactionMessage(transaction: Transaction): TransactionMessage {
  const { order } = transaction;
  return create(TransactionSchema, {
    authorizationKey: transaction.authorizationKey,
    gatewayReference: transaction.gatewayReference,
    state: STATES[transaction.state],
    declineReason: transaction.declineReason,
    createTime: timestampFromDate(transaction.createTime),
    updateTime: timestampFromDate(transaction.updateTime),
    ...(order && {
      merchantReference: order.merchantReference,
      amount: toMoneyMessage(order.amount.currencyCode, order.amount.minorUnits),
      capturedAmount: toMoneyMessage(order.amount.currencyCode, transaction.capturedMinor),
      refundedAmount: toMoneyMessage(order.amount.currencyCode, transaction.refundedMinor),
      providerRefunds: (transaction.providerRefunds ?? []).map(({ key, minorUnits }) => ({
        key,
        amount: toMoneyMessage(order.amount.currencyCode, minorUnits),
      })),
    }),
  });
}

function toMoneyMessage(currencyCode: string, minorUnits: bigint): MoneyMessage {
  return create(MoneySchema, { currencyCode, minorUnits });
}

/** Reads an amount; refuses what no book can hold. */
export function fromMoneyMessage(message: MoneyMessage | undefined): Money {
  if (message === undefined) throw refuseField("amount", "is required");
  const { currencyCode, minorUnits } = message;
  if (!isCurrency(currencyCode)) {
    throw refuseField("amount.currency_code", "is no ISO 4217 code", "UNSUPPORTED_CURRENCY");
  }
  if (minorUnits < 1n || minorUnits > REQUEST_AMOUNT_MAX) {
    throw refuseField("amount.minor_units", "must be from 1 to 10^15", "INVALID_AMOUNT");
  }
  return { currencyCode, minorUnits };
}

/** How the payer pays; what the request leaves open is the configured default of the mock. */
export function fromPaymentMethod(
  message: PaymentMethod | undefined,
  defaults: Pick<GatewayConfig, "behaviour" | "flakyAttempts">,
): Method {
  const method = message?.method;
  if (method?.case === "cardToken") return { kind: "card_token", token: method.value.token };
  const { behaviour = Wire.UNSPECIFIED, flakyAttempts = 0 } = method?.value ?? {};
  if (behaviour === Wire.UNSPECIFIED) {
    return {
      kind: "mock",
      behaviour: defaults.behaviour,
      flakyAttempts: defaults.flakyAttempts,
    };
  }
  const known = BEHAVIOURS.get(behaviour);
  if (known === undefined) {
    throw refuseField("payment_method.mock.behaviour", "is no behaviour of the mock");
  }
  return { kind: "mock", behaviour: known, flakyAttempts };
}
