import type { Subject } from "./check.ts";

/** Names a tally: an account in one currency. */
export interface TallyRef {
  readonly accountId: string;
  readonly currencyCode: string;
}

/** Key of a tally in maps and in the store. A currency has three letters, so no two refs share a name. */
export function tallyName(ref: TallyRef): string {
  return `${ref.accountId}:${ref.currencyCode}`;
}

/** The tally a payment counts in. */
export function tallyRef(subject: Subject): TallyRef {
  return { accountId: subject.accountId, currencyCode: subject.amount.currencyCode };
}
