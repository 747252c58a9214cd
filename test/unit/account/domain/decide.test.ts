import { describe, expect, test } from "vitest";
import { INT64_MAX } from "#kit/pure/money.ts";
import { type Account, openAccount, systemCurrency } from "#services/account/domain/account.ts";
import { Book } from "#services/account/domain/book.ts";
import { decide } from "#services/account/domain/decide.ts";
import type { LedgerRequest, TransferRequest } from "#services/account/domain/request.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const TENANT = "default";

function account(id: string, changes: Partial<Account> = {}): Account {
  const identity = {
    tenant: TENANT,
    id,
    kind: "CUSTOMER",
    ownerId: "",
    currencyCode: "USD",
  } as const;
  return { ...openAccount(identity, NOW), balance: 100n, version: 7n, ...changes };
}

function bookOf(...accounts: readonly Account[]): Book {
  return new Book(NOW, { accounts, transfers: [], holds: [] });
}

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });

function debit(id: string, minorUnits: bigint, changes: Partial<TransferRequest> = {}) {
  return {
    kind: "TRANSFER",
    tenant: TENANT,
    id,
    purpose: "DEBIT",
    sourceAccountId: "alice",
    destinationAccountId: "external:funding:USD",
    amount: usd(minorUnits),
    reference: "",
    ...changes,
  } as const satisfies TransferRequest;
}

function hold(id: string, minorUnits: bigint): LedgerRequest {
  const parties = { accountId: "alice", destinationAccountId: "provider:mock:USD" };
  return {
    kind: "PLACE_HOLD",
    tenant: TENANT,
    id,
    ...parties,
    amount: usd(minorUnits),
    reference: "",
  };
}

const capture = (id: string, holdId: string, minorUnits?: bigint): LedgerRequest => ({
  kind: "CAPTURE_HOLD",
  tenant: TENANT,
  id,
  holdId,
  amount: minorUnits === undefined ? null : usd(minorUnits),
});
const release = (holdId: string): LedgerRequest => ({
  kind: "RELEASE_HOLD",
  tenant: TENANT,
  holdId,
});

/** Freezes an account between two decisions, as another process would. */
function frozen(book: Book, id: string): void {
  const found = book.account(TENANT, id);
  if (found !== undefined) book.putAccount({ ...found, state: "FROZEN" });
}

describe("guards", () => {
  test("a decline guards the account it read, so that a stale decline cannot be stored", () => {
    const book = bookOf(account("alice"));
    expect(decide(book, debit("t", 101n))).toMatchObject({
      ok: false,
      reason: "INSUFFICIENT_FUNDS",
    });
    const [guarded] = book.changes().customers;
    expect(guarded?.before).toMatchObject({ id: "alice", version: 7n });
    expect(guarded?.after).toMatchObject({ balance: 100n, version: 8n });
  });

  test("the account that receives is guarded too, because its overflow was judged", () => {
    const book = bookOf(account("alice"), account("bob"));
    decide(book, debit("t", 1n, { destinationAccountId: "bob" }));
    expect(book.changes().customers.map(({ before }) => before.id)).toEqual(["alice", "bob"]);
  });

  test("an answer from the store reads no account and changes nothing", () => {
    const first = bookOf(account("alice"));
    decide(first, debit("t", 1n));
    const { transfers } = first.changes();
    const book = new Book(NOW, { accounts: [account("alice")], transfers, holds: [] });
    expect(decide(book, debit("t", 1n))).toMatchObject({
      ok: true,
      transfer: { sourceBalanceAfter: 99n },
    });
    expect(book.changes()).toMatchObject({ customers: [], systems: [], transfers: [] });
  });

  test("many debits of one account raise its version by one", () => {
    const book = bookOf(account("alice"));
    for (let index = 0; index < 50; index += 1) decide(book, debit(`t${index}`, 1n));
    expect(book.changes().customers[0]?.after).toMatchObject({ balance: 50n, version: 8n });
  });
});

describe("walls inside the ledger", () => {
  test.each([0n, -1n, -(2n ** 63n), INT64_MAX + 1n])("refuse %s and store nothing", (amount) => {
    const book = bookOf(account("alice"));
    expect(decide(book, debit("t", amount))).toMatchObject({ ok: false, reason: "INVALID_AMOUNT" });
    expect(decide(book, hold("h", amount))).toMatchObject({ ok: false, reason: "INVALID_AMOUNT" });
    expect(book.changes()).toMatchObject({ transfers: [], holds: [], customers: [] });
  });

  test("refuse a move from an account to itself, which would make money", () => {
    const book = bookOf(account("alice"));
    const outcome = decide(book, debit("t", 5n, { destinationAccountId: "alice" }));
    expect(outcome).toMatchObject({ ok: false, reason: "INVALID_FIELD" });
  });
});

describe("the edge of int64", () => {
  test("takes the last unit and refuses one more, on both sides", () => {
    const book = bookOf(account("alice"), account("full", { balance: INT64_MAX - 1n }));
    const give = (id: string) => decide(book, debit(id, 1n, { destinationAccountId: "full" }));
    expect(give("last")).toMatchObject({
      ok: true,
      transfer: { destinationBalanceAfter: INT64_MAX },
    });
    expect(give("over")).toMatchObject({
      reason: "BALANCE_OVERFLOW",
      facts: { account_id: "full" },
    });
    expect(give("over")).toMatchObject({ reason: "BALANCE_OVERFLOW" });
  });

  test("keeps a system account from wrapping below −2^63", () => {
    const funding = account("external:funding:USD", { kind: "SYSTEM", balance: -(2n ** 63n) + 1n });
    const book = bookOf(account("alice"), funding);
    const credit = (id: string) =>
      decide(book, {
        ...debit(id, 1n),
        purpose: "CREDIT",
        sourceAccountId: "external:funding:USD",
        destinationAccountId: "alice",
      });
    expect(credit("last")).toMatchObject({ ok: true });
    expect(credit("over")).toMatchObject({ reason: "BALANCE_OVERFLOW" });
  });
});

describe("a hold", () => {
  test("takes available and not the balance, until it is captured", () => {
    const book = bookOf(account("alice"));
    decide(book, hold("h", 60n));
    expect(decide(book, debit("t", 41n))).toMatchObject({ reason: "INSUFFICIENT_FUNDS" });
    expect(book.account(TENANT, "alice")).toMatchObject({ balance: 100n, held: 60n });
    expect(decide(book, capture("c", "h"))).toMatchObject({
      ok: true,
      hold: { state: "CAPTURED" },
    });
    expect(book.account(TENANT, "alice")).toMatchObject({ balance: 40n, held: 0n });
  });

  test("captured in part frees the rest", () => {
    const book = bookOf(account("alice"));
    decide(book, hold("h", 60n));
    decide(book, capture("c", "h", 25n));
    expect(book.account(TENANT, "alice")).toMatchObject({ balance: 75n, held: 0n });
  });

  test("is captured and released on a frozen account, which takes no new one", () => {
    const book = bookOf(account("alice"));
    decide(book, hold("h1", 10n));
    decide(book, hold("h2", 10n));
    frozen(book, "alice");
    expect(decide(book, hold("h3", 10n))).toMatchObject({ reason: "ACCOUNT_FROZEN" });
    expect(decide(book, debit("t", 10n))).toMatchObject({ reason: "ACCOUNT_FROZEN" });
    expect(decide(book, capture("c", "h1"))).toMatchObject({ ok: true });
    expect(decide(book, release("h2"))).toMatchObject({ ok: true, hold: { state: "RELEASED" } });
    expect(book.account(TENANT, "alice")).toMatchObject({ balance: 90n, held: 0n });
  });

  test("released cannot be captured, captured cannot be released; the state is told", () => {
    const book = bookOf(account("alice"));
    decide(book, hold("h1", 10n));
    decide(book, hold("h2", 10n));
    decide(book, release("h1"));
    decide(book, capture("c2", "h2"));
    const resolved = { ok: false, reason: "HOLD_ALREADY_RESOLVED" };
    expect(decide(book, capture("c1", "h1"))).toMatchObject({
      ...resolved,
      facts: { state: "RELEASED" },
    });
    expect(decide(book, capture("c3", "h2"))).toMatchObject({
      ...resolved,
      facts: { state: "CAPTURED" },
    });
    expect(decide(book, release("h2"))).toMatchObject({
      ...resolved,
      facts: { state: "CAPTURED" },
    });
  });

  test("asked for again after its release is answered with the first acceptance, not placed anew", () => {
    const book = bookOf(account("alice"));
    decide(book, hold("h", 10n));
    decide(book, release("h"));
    expect(decide(book, hold("h", 10n))).toMatchObject({ ok: true, hold: { state: "RELEASED" } });
    expect(book.account(TENANT, "alice")).toMatchObject({ held: 0n });
  });

  test("whose release came first never lands", () => {
    const book = bookOf(account("alice"));
    expect(decide(book, release("h"))).toMatchObject({ ok: true, hold: { state: "TOMBSTONED" } });
    expect(decide(book, hold("h", 10n))).toMatchObject({ reason: "TRANSACTION_REVERSED" });
    expect(decide(book, capture("c", "h"))).toMatchObject({ facts: { state: "TOMBSTONED" } });
  });
});

test.each([
  ["external:funding:USD", "USD"],
  ["provider:mock:EUR", "EUR"],
  ["suspense:XTS", "XTS"],
  ["external:USD", undefined],
  ["suspense", undefined],
  ["provider:mock:usd", undefined],
  ["alice", undefined],
])("%s is a system account of %s", (id, currency) => {
  expect(systemCurrency(id)).toBe(currency);
});
