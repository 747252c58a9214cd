import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Money as MoneyMessage } from "#gen/common/v1/money_pb.ts";
import {
  type CheckSchema,
  FraudDecision,
  type Settings as SettingsMessage,
  type SettingsSchema,
} from "#gen/fraud/v1/fraud_pb.ts";
import { isCurrency } from "#kit/pure/currency.ts";
import type { Money } from "#kit/pure/money.ts";
import { refuseField } from "#kit/refusal.ts";
import type { CurrentSettings } from "../application/settings.ts";
import type { Check, Decision } from "../domain/check.ts";
import type { Limits, Settings } from "../domain/settings.ts";

const DECISIONS = {
  PASS: FraudDecision.PASS,
  FAIL: FraudDecision.FAIL,
  REVIEW: FraudDecision.REVIEW,
} as const satisfies Record<Decision, FraudDecision>;

export function checkMessage(check: Check): MessageInitShape<typeof CheckSchema> {
  const { subject, decideTime } = check;
  // A tombstone shows its id and that it was released; whose check it would have been is not known.
  return {
    checkId: check.id,
    ...(subject && {
      paymentId: subject.paymentId,
      accountId: subject.accountId,
      amount: subject.amount,
    }),
    decision: DECISIONS[check.decision],
    rules: [...check.rules],
    decidedBy: check.decidedBy,
    note: check.note,
    released: check.released,
    createTime: timestampFromDate(check.createTime),
    ...(decideTime && { decideTime: timestampFromDate(decideTime) }),
  };
}

/** Undefined for UNSPECIFIED. */
export function toDecision(decision: FraudDecision): Decision | undefined {
  if (decision === FraudDecision.PASS) return "PASS";
  if (decision === FraudDecision.FAIL) return "FAIL";
  return decision === FraudDecision.REVIEW ? "REVIEW" : undefined;
}

/** Refuses what the pattern in the proto lets through: three capitals that are no currency. */
export function toMoney(money: MoneyMessage | undefined, field: string): Money {
  if (money === undefined) throw refuseField(field, "is required");
  if (!isCurrency(money.currencyCode)) {
    const description = `${money.currencyCode} is not an ISO 4217 code`;
    throw refuseField(`${field}.currency_code`, description, "UNSUPPORTED_CURRENCY");
  }
  return { currencyCode: money.currencyCode, minorUnits: money.minorUnits };
}

export function settingsMessage(current: CurrentSettings): MessageInitShape<typeof SettingsSchema> {
  const { settings, etag } = current;
  return {
    amountLimits: limitMessages(settings.amountLimits),
    reviewLimits: limitMessages(settings.reviewLimits),
    cumulativeLimits: limitMessages(settings.cumulativeLimits),
    deniedAccountIds: [...settings.deniedAccountIds].sort(),
    mockDelay: durationFromMs(settings.mockDelayMs),
    etag,
  };
}

export function toSettings(message: SettingsMessage): Settings {
  return {
    amountLimits: toLimits(message.amountLimits, "settings.amount_limits"),
    reviewLimits: toLimits(message.reviewLimits, "settings.review_limits"),
    cumulativeLimits: toLimits(message.cumulativeLimits, "settings.cumulative_limits"),
    deniedAccountIds: new Set(message.deniedAccountIds),
    mockDelayMs: message.mockDelay === undefined ? 0 : Math.round(durationMs(message.mockDelay)),
  };
}

function limitMessages(limits: Limits): Money[] {
  return [...limits]
    .map(([currencyCode, minorUnits]) => ({ currencyCode, minorUnits }))
    .sort((a, b) => (a.currencyCode < b.currencyCode ? -1 : 1));
}

function toLimits(messages: readonly MoneyMessage[], field: string): Limits {
  const limits = new Map<string, bigint>();
  for (const [index, message] of messages.entries()) {
    const { currencyCode, minorUnits } = toMoney(message, `${field}[${index}]`);
    const at = `${field}[${index}]`;
    if (minorUnits < 0n) throw refuseField(`${at}.minor_units`, "must not be negative");
    if (limits.has(currencyCode)) {
      throw refuseField(`${at}.currency_code`, `${currencyCode} has a limit already`);
    }
    limits.set(currencyCode, minorUnits);
  }
  return limits;
}
