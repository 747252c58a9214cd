import type { DeclineReason } from "../reasons.ts";

/** What asked for the transfer. */
export type TransferKind = "DEBIT" | "CREDIT" | "CAPTURE" | "REVERSAL" | "OPENING" | "TOMBSTONE";

/** Facts beside a reason, for example which account or which state; part of the stored answer. */
export type DeclineFacts = Readonly<Record<string, string>>;

/**
 * An immutable double-entry posting, a stored decline, or a tombstone: whatever was decided first under
 * its id. Whether a posting was undone later is told by the posting `reversalIdOf(id)`.
 */
export interface Transfer {
  readonly tenant: string;
  readonly id: string;
  readonly kind: TransferKind;
  /** What a repeat must have in common with the first; see `contentOf`. Empty on tombstones. */
  readonly content: string;
  /** The account that pays; empty when the decision never learnt it. */
  readonly sourceAccountId: string;
  /** The account that receives; empty when the decision never learnt it. */
  readonly destinationAccountId: string;
  readonly currencyCode: string;
  /** Minor units; 0 only where nothing was posted. */
  readonly amount: bigint;
  readonly reference: string;
  readonly state: "POSTED" | "DECLINED" | "TOMBSTONED";
  readonly reason: DeclineReason | "";
  readonly facts: DeclineFacts;
  readonly reverses: string;
  readonly holdId: string;
  /** Balance of the paying account after it; null on system accounts and when not posted. */
  readonly sourceBalanceAfter: bigint | null;
  /** Balance of the receiving account after it; null on system accounts and when not posted. */
  readonly destinationBalanceAfter: bigint | null;
  /** Place in the books: rises strictly within each customer account. Null when not posted. */
  readonly order: bigint | null;
  readonly createTime: Date;
}

/** A pending transfer: set aside now, captured or released once. */
export interface Hold {
  readonly tenant: string;
  readonly id: string;
  readonly content: string;
  readonly accountId: string;
  readonly destinationAccountId: string;
  readonly currencyCode: string;
  /** Minor units set aside; 0 only on tombstones. */
  readonly amount: bigint;
  readonly capturedAmount: bigint;
  readonly state: "HELD" | "CAPTURED" | "RELEASED" | "DECLINED" | "TOMBSTONED";
  readonly reason: DeclineReason | "";
  readonly facts: DeclineFacts;
  /** The transfer that posted it, else empty. */
  readonly transactionId: string;
  readonly reference: string;
  readonly createTime: Date;
  readonly resolveTime: Date | null;
}

/** Ends the id of every reversal; no caller may choose such an id, so none can stand in a reversal's way. */
export const REVERSAL_SUFFIX = ":reversal";

/** A transfer that moved nothing (a decline or a tombstone); callers fill in what they know. */
export function emptyTransfer(tenant: string, id: string, now: Date): Transfer {
  return {
    tenant,
    id,
    kind: "TOMBSTONE",
    content: "",
    sourceAccountId: "",
    destinationAccountId: "",
    currencyCode: "",
    amount: 0n,
    reference: "",
    state: "TOMBSTONED",
    reason: "",
    facts: {},
    reverses: "",
    holdId: "",
    sourceBalanceAfter: null,
    destinationBalanceAfter: null,
    order: null,
    createTime: now,
  };
}

/** A hold whose release came first. */
export function holdTombstone(tenant: string, id: string, now: Date): Hold {
  return {
    tenant,
    id,
    content: "",
    accountId: "",
    destinationAccountId: "",
    currencyCode: "",
    amount: 0n,
    capturedAmount: 0n,
    state: "TOMBSTONED",
    reason: "",
    facts: {},
    transactionId: "",
    reference: "",
    createTime: now,
    resolveTime: now,
  };
}
