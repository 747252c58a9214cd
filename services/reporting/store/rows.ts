import type { Document } from "mongodb";
import type {
  CheckBook,
  HoldBook,
  NoticeBook,
  PaymentBook,
  RefundBook,
  TaskBook,
  TransferBook,
} from "../domain/books.ts";

/** A whole number whatever BSON type it has: a broken book must be reported, not crash the audit. */
export function units(value: unknown): bigint {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

/** A text, empty when absent. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A time, undefined when absent. */
export function date(value: unknown): Date | undefined {
  return value instanceof Date ? value : undefined;
}

function list(value: unknown): readonly Document[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
}

/** The id inside a document's key. */
export function idOf(row: Document): string {
  return text(row["_id"]?.id);
}

export function paymentBook(row: Document): PaymentBook {
  const { phase } = row;
  return {
    paymentId: idOf(row),
    requestId: text(row["requestId"]),
    accountId: text(row["accountId"]),
    currencyCode: text(row["currencyCode"]),
    amount: units(row["amount"]),
    capturedAmount: units(row["capturedAmount"]),
    refundedAmount: units(row["refundedAmount"]),
    reservedAmount: units(row["reservedAmount"]),
    status: text(row["status"]),
    phase: text(phase?.kind),
    phaseAmount: phase?.amount === undefined ? null : units(phase.amount),
    failureReason: text(row["failure"]?.reason),
    final: row["final"] === true,
    notifyPending: isPending(row["notify"]),
    version: units(row["version"]),
    createTime: date(row["createTime"]),
    finalTime: date(row["finalTime"]),
  };
}

export function refundBook(row: Document): RefundBook {
  return {
    refundId: idOf(row),
    amount: units(row["amount"]),
    currencyCode: text(row["currencyCode"]),
    status: text(row["status"]),
    notifyPending: isPending(row["notify"]),
    updateTime: date(row["updateTime"]),
  };
}

export function taskBook(row: Document): TaskBook {
  return {
    taskId: idOf(row),
    paymentId: text(row["paymentId"]),
    refundId: text(row["refundId"]),
    kind: text(row["kind"]),
    detail: text(row["detail"]),
    createTime: date(row["createTime"]),
  };
}

function isPending(notify: unknown): boolean {
  return notify !== null && notify !== undefined;
}

export function holdBook(row: Document): HoldBook {
  return {
    holdId: idOf(row),
    accountId: text(row["accountId"]),
    destinationAccountId: text(row["destinationAccountId"]),
    currencyCode: text(row["currencyCode"]),
    amount: units(row["amount"]),
    capturedAmount: units(row["capturedAmount"]),
    state: text(row["state"]),
    transactionId: text(row["transactionId"]),
  };
}

export function transferBook(row: Document): TransferBook {
  return {
    transactionId: idOf(row),
    sourceAccountId: text(row["sourceAccountId"]),
    destinationAccountId: text(row["destinationAccountId"]),
    currencyCode: text(row["currencyCode"]),
    amount: units(row["amount"]),
    state: text(row["state"]),
  };
}

export function noticeBook(row: Document): NoticeBook {
  return {
    notificationId: idOf(row),
    paymentId: text(row["paymentId"]),
    template: text(row["template"]),
    text: text(row["body"]),
    told: new Map(list(row["variables"]).map(({ key, value }) => [text(key), text(value)])),
  };
}

export function checkBook(row: Document): CheckBook {
  return { decision: text(row["decision"]), tallied: units(row["tallied"]) };
}
