import type { Collection, Db } from "mongodb";
import type { Key } from "#kit/mongo/key.ts";
import { key } from "#kit/mongo/key.ts";
import type { Check, Decision } from "../domain/check.ts";
import type { Rule } from "../domain/rules.ts";
import type { Limits, Settings } from "../domain/settings.ts";
import type { Tenant } from "./port.ts";

/** A row of `checks`. A tombstone has no payment, account and amount until its Evaluate comes. */
export interface CheckRow {
  readonly _id: Key;
  readonly paymentId?: string;
  readonly accountId?: string;
  readonly currencyCode?: string;
  readonly amount?: bigint;
  readonly decision: Decision;
  readonly rules: readonly Rule[];
  readonly decidedBy: string;
  readonly note: string;
  readonly decisionCallId: string;
  readonly released: boolean;
  readonly tallied: bigint;
  readonly createTime: Date;
  readonly decideTime: Date | null;
}

/** A row of `tallies`; its id is `tallyName`. */
export interface TallyRow {
  readonly _id: Key;
  readonly accountId: string;
  readonly currencyCode: string;
  /** Sum of the passed payments that were not given back, in minor units. */
  readonly amount: bigint;
}

interface LimitRow {
  readonly currencyCode: string;
  readonly amount: bigint;
}

/** The row of `settings`; its id is `SETTINGS_ID`. */
export interface SettingsRow {
  readonly _id: Key;
  readonly amountLimits: readonly LimitRow[];
  readonly reviewLimits: readonly LimitRow[];
  readonly cumulativeLimits: readonly LimitRow[];
  readonly deniedAccountIds: readonly string[];
  readonly mockDelayMs: number;
  readonly version: bigint;
  readonly callId: string;
}

/** A tenant has one row of settings. */
export const SETTINGS_ID = "settings";

/** Fraud's collections. */
export interface Collections {
  readonly checks: Collection<CheckRow>;
  readonly tallies: Collection<TallyRow>;
  readonly settings: Collection<SettingsRow>;
}

/** Names them; `fraudMigrations` makes them. */
export function collections(db: Db): Collections {
  return {
    checks: db.collection("checks"),
    tallies: db.collection("tallies"),
    settings: db.collection("settings"),
  };
}

export function checkRow(tenant: Tenant, check: Check): CheckRow {
  const { subject } = check;
  return {
    _id: key(tenant, check.id),
    ...(subject && {
      paymentId: subject.paymentId,
      accountId: subject.accountId,
      currencyCode: subject.amount.currencyCode,
      amount: subject.amount.minorUnits,
    }),
    decision: check.decision,
    rules: check.rules,
    decidedBy: check.decidedBy,
    note: check.note,
    decisionCallId: check.decisionCallId,
    released: check.released,
    tallied: check.tallied,
    createTime: check.createTime,
    decideTime: check.decideTime ?? null,
  };
}

export function toCheck(row: CheckRow): Check {
  return {
    id: row._id.id,
    subject: toSubject(row),
    decision: row.decision,
    rules: row.rules,
    decidedBy: row.decidedBy,
    note: row.note,
    decisionCallId: row.decisionCallId,
    released: row.released,
    tallied: row.tallied,
    createTime: row.createTime,
    decideTime: row.decideTime ?? undefined,
  };
}

function toSubject(row: CheckRow): Check["subject"] {
  const { paymentId, accountId, currencyCode, amount } = row;
  if (
    paymentId === undefined ||
    accountId === undefined ||
    currencyCode === undefined ||
    amount === undefined
  ) {
    return undefined;
  }
  return { paymentId, accountId, amount: { currencyCode, minorUnits: amount } };
}

export function settingsRow(
  tenant: Tenant,
  settings: Settings,
  version: bigint,
  callId: string,
): SettingsRow {
  return {
    _id: key(tenant, SETTINGS_ID),
    amountLimits: limitRows(settings.amountLimits),
    reviewLimits: limitRows(settings.reviewLimits),
    cumulativeLimits: limitRows(settings.cumulativeLimits),
    deniedAccountIds: [...settings.deniedAccountIds],
    mockDelayMs: settings.mockDelayMs,
    version,
    callId,
  };
}

export function toSettings(row: SettingsRow): Settings {
  return {
    amountLimits: toLimits(row.amountLimits),
    reviewLimits: toLimits(row.reviewLimits),
    cumulativeLimits: toLimits(row.cumulativeLimits),
    deniedAccountIds: new Set(row.deniedAccountIds),
    mockDelayMs: row.mockDelayMs,
  };
}

function limitRows(limits: Limits): LimitRow[] {
  return [...limits].map(([currencyCode, amount]) => ({ currencyCode, amount }));
}

function toLimits(rows: readonly LimitRow[]): Limits {
  return new Map(rows.map((row) => [row.currencyCode, row.amount]));
}
