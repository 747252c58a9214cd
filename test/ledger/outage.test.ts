import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Scope } from "#kit/pure/scope.ts";
import type { AccountDeps } from "#services/account/application/ports.ts";
import { getAccount } from "#services/account/application/read-account.ts";
import { ask } from "./ask.ts";
import { faultsOf } from "./books.ts";
import { type FragileMongod, startFragileMongod } from "./fragile-mongod.ts";
import { type LedgerHarness, openLedger, openWith } from "./harness.ts";

let mongod: FragileMongod;
let ledger: LedgerHarness;
beforeAll(async () => {
  mongod = await startFragileMongod();
  ledger = await openLedger(mongod.uri);
});
afterAll(async () => {
  await ledger[Symbol.asyncDispose]();
  await mongod[Symbol.asyncDispose]();
});

async function withBalance(minorUnits: bigint): Promise<{ deps: AccountDeps; scope: Scope }> {
  const scope = ledger.tenant();
  const deps = ledger.instance();
  await openWith(deps, scope, { id: "alice", currencyCode: "USD", minorUnits });
  return { deps, scope };
}

const debitOf = (id: string) => ({
  op: "debit" as const,
  id,
  account: "alice",
  counter: "external:funding:USD",
  currency: "USD",
  amount: 1n,
});

describe("a server that fails by itself", () => {
  test.each([
    [
      "cuts the connection before it commits",
      { failCommands: ["commitTransaction"], closeConnection: true },
    ],
    [
      "commits and then does not confirm it",
      { failCommands: ["commitTransaction"], writeConcernError: { code: 91, errmsg: "stepping" } },
    ],
    [
      "loses a write conflict",
      { failCommands: ["update"], errorCode: 112, errorLabels: ["TransientTransactionError"] },
    ],
    ["cuts the connection at the insert", { failCommands: ["insert"], closeConnection: true }],
    ["cuts the connection at the first read", { failCommands: ["find"], closeConnection: true }],
  ])("%s: each debit still counts exactly once", async (_, data) => {
    const { deps, scope } = await withBalance(10n);
    await mongod.failNext(3, data);
    const answers = await Promise.all(["a", "b", "c"].map((id) => ask(deps, scope, debitOf(id))));
    expect(answers).toEqual(["posted 1 balance 9", "posted 1 balance 8", "posted 1 balance 7"]);
    expect(await getAccount(deps, scope, "alice")).toMatchObject({ balance: 7n });
    expect(await faultsOf(ledger.db, scope.tenant)).toEqual([]);
  });
});

test("kill -9 of mongod under load contradicts no answer that was given", async () => {
  const clients = 8;
  const debits = 60;
  const { deps, scope } = await withBalance(BigInt(clients * debits) + 3n);
  const answers = new Map<string, string>();
  const load = Array.from({ length: clients }, async (_, client) => {
    for (let debit = 0; debit < debits; debit += 1) {
      const id = `${client}-${debit}`;
      answers.set(id, await untilDefinite(deps, scope, id));
    }
  });
  await vi.waitUntil(() => answers.size > (clients * debits) / 4, { timeout: 20_000, interval: 5 });
  await mongod.crash();
  await Promise.all(load);
  expect(answers.size).toBe(clients * debits);
  expect(new Set(answers.values()).size).toBe(clients * debits);
  expect(await getAccount(deps, scope, "alice")).toMatchObject({ balance: 3n });
  expect(await faultsOf(ledger.db, scope.tenant)).toEqual([]);
  // Another instance, with nothing in memory, repeats every answer word for word.
  const fresh = ledger.instance();
  const repeats = [...answers].map(async ([id, answer]) => {
    expect(await ask(fresh, scope, debitOf(id))).toBe(answer);
  });
  await Promise.all(repeats);
});

/** Asks again under the same id while the outcome is not known; every try takes the ledger's whole budget. */
async function untilDefinite(deps: AccountDeps, scope: Scope, id: string): Promise<string> {
  for (let tries = 0; tries < 10; tries += 1) {
    const answer = await ask(deps, scope, debitOf(id));
    if (answer !== "no LEDGER_BUSY") return answer;
  }
  throw new Error(`no answer to ${id}`);
}
