import type { Violation } from "./invariants.ts";

/** An account with what its postings and holds add up to. Amounts are minor units. */
export interface AccountCase {
  readonly accountId: string;
  /** Undefined when postings or holds name an account that is not there. */
  readonly account:
    | {
        readonly currencyCode: string;
        readonly balance: bigint;
        readonly held: bigint;
        /** System accounts have no floor. */
        readonly kind: string;
      }
    | undefined;
  /** Per currency; a sound account has at most one. */
  readonly postings: readonly { readonly currencyCode: string; readonly total: bigint }[];
  /** Sum of its holds in state HELD. */
  readonly held: bigint;
}

/** A1's legs, A2 and A3 for one account. */
export function judgeAccount(books: AccountCase): readonly Violation[] {
  const { accountId: id, account, postings } = books;
  if (!account) {
    const sums = postings.map(({ currencyCode, total }) => `${total} ${currencyCode}`).join(", ");
    return [
      { invariant: "A1", id, detail: `has postings of ${sums || "holds only"} but is no account` },
    ];
  }
  const foreign = postings.filter(({ currencyCode }) => currencyCode !== account.currencyCode);
  const own =
    postings.find(({ currencyCode }) => currencyCode === account.currencyCode)?.total ?? 0n;
  const available = account.balance - account.held;
  const violations: Violation[] = foreign.map(({ currencyCode, total }) => ({
    invariant: "A1",
    id,
    detail: `keeps ${account.currencyCode}, but has postings of ${total} ${currencyCode}`,
  }));
  if (account.balance !== own) {
    violations.push({ invariant: "A2", id, detail: `balance ${account.balance}, postings ${own}` });
  }
  if (account.held !== books.held) {
    violations.push({ invariant: "A2", id, detail: `held ${account.held}, holds ${books.held}` });
  }
  if (account.kind !== "SYSTEM" && (account.balance < 0n || available < 0n)) {
    violations.push({
      invariant: "A3",
      id,
      detail: `balance ${account.balance}, available ${available}`,
    });
  }
  return violations;
}

/** A1 from the accounts' side: what one has, another owes. */
export function judgeCurrency(currencyCode: string, balances: bigint): readonly Violation[] {
  if (balances === 0n) return [];
  return [
    {
      invariant: "A1",
      id: currencyCode,
      detail: `the balances of all accounts sum to ${balances}`,
    },
  ];
}
