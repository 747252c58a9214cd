import { type ClientSession, MongoError } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Scope } from "#kit/pure/scope.ts";
import type { AccountDeps } from "#services/account/application/ports.ts";
import { getAccount } from "#services/account/application/read-account.ts";
import { ask } from "./ask.ts";
import { faultsOf } from "./books.ts";
import { type LedgerHarness, openLedger, openWith } from "./harness.ts";
import type { Op } from "./model.ts";

let ledger: LedgerHarness;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger[Symbol.asyncDispose]());

/** The wire is cut; whether the commit took effect is the test's choice and not the ledger's knowledge. */
function unknownResult(): MongoError {
  const error = new MongoError("connection closed");
  error.addErrorLabel("UnknownTransactionCommitResult");
  return error;
}

/** Breaks the first `times` commits in one way. */
function breaking(times: number, way: (session: ClientSession) => Promise<void>) {
  let left = times;
  return async (session: ClientSession): Promise<void> => {
    left -= 1;
    if (left < 0) return session.commitTransaction();
    await way(session);
    throw unknownResult();
  };
}

const took = (session: ClientSession): Promise<void> => session.commitTransaction();
const lost = async (session: ClientSession): Promise<void> => {
  if (session.inTransaction()) await session.abortTransaction();
};

async function withAccount(
  commit?: (session: ClientSession) => Promise<void>,
): Promise<{ deps: AccountDeps; scope: Scope }> {
  const scope = ledger.tenant();
  const account = { id: "alice", currencyCode: "USD", minorUnits: 10n };
  await openWith(ledger.instance(), scope, account);
  return { deps: ledger.instance(commit ? { commit } : {}), scope };
}

function debitOf(id: string, amount: bigint): Extract<Op, { op: "debit" | "credit" }> {
  const counter = "external:funding:USD";
  return { op: "debit", id, account: "alice", counter, currency: "USD", amount };
}

describe("a commit whose result is not known", () => {
  test.each([
    ["took effect, once", 1, took],
    ["took effect, until the commit is given up and the ids are looked up", 3, took],
    ["was lost, once", 1, lost],
    ["was lost, again and again", 7, lost],
  ])("%s: every debit counts once and gets its own answer", async (_, times, way) => {
    const { deps, scope } = await withAccount(breaking(times, way));
    const ops = [debitOf("a", 4n), debitOf("b", 4n), debitOf("c", 4n)];
    const answers = await Promise.all(ops.map((op) => ask(deps, scope, op)));
    expect(answers).toEqual(["posted 4 balance 6", "posted 4 balance 2", "no INSUFFICIENT_FUNDS"]);
    expect(await getAccount(deps, scope, "alice")).toMatchObject({ balance: 2n });
    expect(await faultsOf(ledger.db, scope.tenant)).toEqual([]);
  });

  test("that never becomes known ends as LEDGER_BUSY, and the same id then finds the truth", async () => {
    const scope = ledger.tenant();
    const account = { id: "alice", currencyCode: "USD", minorUnits: 10n };
    const healthy = ledger.instance();
    await openWith(healthy, scope, account);
    const commit = breaking(Number.POSITIVE_INFINITY, lost);
    const deps = ledger.instance({ commit, limits: { budgetMs: 100 } });
    expect(await ask(deps, scope, debitOf("a", 4n))).toBe("no LEDGER_BUSY");
    expect(await ask(healthy, scope, debitOf("a", 4n))).toBe("posted 4 balance 6");
    expect(await faultsOf(ledger.db, scope.tenant)).toEqual([]);
  });

  test("took effect before the wire broke for good: LEDGER_BUSY is no promise that nothing happened", async () => {
    const { deps: healthy, scope } = await withAccount();
    let first = true;
    const deps = ledger.instance({
      limits: { budgetMs: 100 },
      async commit(session) {
        if (first) await took(session);
        else await lost(session);
        first = false;
        throw unknownResult();
      },
    });
    expect(await ask(deps, scope, debitOf("a", 4n))).toBe("no LEDGER_BUSY");
    expect(await ask(healthy, scope, debitOf("a", 4n))).toBe("posted 4 balance 6");
  });
});

describe("a debit that was declined", () => {
  test("stays declined after the account was funded, also in another instance", async () => {
    const { deps, scope } = await withAccount();
    expect(await ask(deps, scope, debitOf("big", 11n))).toBe("no INSUFFICIENT_FUNDS");
    const funding = { ...debitOf("fund", 100n), op: "credit" } as const;
    expect(await ask(deps, scope, funding)).toBe("posted 100 balance 110");
    for (const instance of [deps, ledger.instance()]) {
      expect(await ask(instance, scope, debitOf("big", 11n))).toBe("no INSUFFICIENT_FUNDS");
    }
    expect(await ask(deps, scope, debitOf("big-2", 11n))).toBe("posted 11 balance 99");
  });

  test("for a missing account stays declined after the account was opened", async () => {
    const scope = ledger.tenant();
    const deps = ledger.instance();
    expect(await ask(deps, scope, debitOf("early", 1n))).toBe("no ACCOUNT_NOT_FOUND");
    await openWith(deps, scope, { id: "alice", currencyCode: "USD", minorUnits: 10n });
    expect(await ask(deps, scope, debitOf("early", 1n))).toBe("no ACCOUNT_NOT_FOUND");
    expect(await ask(deps, scope, debitOf("late", 1n))).toBe("posted 1 balance 9");
  });
});

describe("a system account at the end of int64", () => {
  test("declines in an instance that believes it is far away, instead of failing", async () => {
    const scope = ledger.tenant();
    const [believer, other] = [ledger.instance(), ledger.instance()];
    await openWith(believer, scope, { id: "tiny", currencyCode: "XTS", minorUnits: 1n });
    await openWith(other, scope, { id: "full", currencyCode: "XTS", minorUnits: 2n ** 63n - 1n });
    const counter = "external:funding:XTS";
    const credit = { op: "credit", id: "over", account: "tiny", counter, currency: "XTS" } as const;
    expect(await ask(believer, scope, { ...credit, amount: 1n })).toBe("no BALANCE_OVERFLOW");
    expect(await faultsOf(ledger.db, scope.tenant)).toEqual([]);
  });
});

describe("order in the books", () => {
  test("goes on when the clock goes backwards, so that a list never shows an older balance first", async () => {
    const scope = ledger.tenant();
    const start = Date.UTC(2026, 0, 1);
    let clockMs = start;
    const deps = ledger.instance({ now: () => new Date(clockMs) });
    await openWith(deps, scope, { id: "alice", currencyCode: "USD", minorUnits: 10n });
    for (const id of ["a", "b", "c"]) {
      clockMs -= 3_600_000;
      await ask(deps, scope, debitOf(id, 1n));
    }
    const order = { field: "create_time", descending: true };
    const page = { conditions: [], order, after: undefined, limit: 10 };
    const postings = await deps.store.listPostings(scope, "alice", page);
    expect(postings.map(({ id }) => id)).toEqual(["c", "b", "a", "opening:alice"]);
  });
});
