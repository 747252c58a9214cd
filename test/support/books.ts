import type { Filter } from "mongodb";
import { expect } from "vitest";
import type { Stack } from "./stack.ts";
import { waitUntil } from "./wait-until.ts";

/** What may still be under way in the books, as `<service>.<collection>` and what tells an open row. */
const OPEN: readonly (readonly [service: string, collection: string, filter: Filter<object>])[] = [
  ["payment", "payments", { $or: [{ final: false }, { notify: { $type: "string" } }] }],
  ["payment", "refunds", { $or: [{ status: "PENDING" }, { notify: { $type: "string" } }] }],
  ["payment", "callbacks", { state: { $ne: "DONE" } }],
  ["gateway", "callbacks", { dueTime: { $type: "date" } }],
];

/** Ids a test has put out of order on purpose, with the invariants they must be found under, and no others. */
export type Expected = Readonly<Record<string, readonly string[]>>;

/**
 * Waits until nothing is under way, then proves the books: every account's hold is gone and the audit finds nothing,
 * or exactly what the test expects, for example `{ A7: [paymentId] }`.
 */
export async function expectBooksBalance(stack: Stack, expected: Expected = {}): Promise<void> {
  await waitUntil(async () => (await openRows(stack)).length === 0, {
    boundMs: 30_000,
    what: "the end of everything that is under way",
  }).catch(async () => expect(await openRows(stack), "still under way").toEqual([]));
  const { invariants, openPayments } = await stack.reporting.audit({}, { timeoutMs: 30_000 });
  const found = invariants.flatMap(({ id, violations }) =>
    violations.map((violation) => ({ invariant: id, ...violation })),
  );
  const unexpected = found.filter(({ invariant, id }) => !expected[invariant]?.includes(id));
  expect(unexpected.map(({ invariant, id, detail }) => `${invariant} ${id}: ${detail}`)).toEqual(
    [],
  );
  for (const [invariant, ids] of Object.entries(expected)) {
    const seen = found.filter((violation) => violation.invariant === invariant);
    expect(seen.map(({ id }) => id).sort(), invariant).toEqual([...ids].sort());
  }
  expect(openPayments).toBe(0n);
  expect(await heldAccounts(stack)).toEqual([]);
}

async function openRows(stack: Stack): Promise<string[]> {
  const found = await Promise.all(
    OPEN.map(async ([service, collection, filter]) => {
      const db = await stack.platform.database(service);
      const rows = await db.collection(collection).find(filter).limit(10).toArray();
      return rows.map((row) => `${service}.${collection} ${JSON.stringify(row["_id"])}`);
    }),
  );
  return found.flat();
}

async function heldAccounts(stack: Stack): Promise<string[]> {
  const { accounts } = await stack.account.listAccounts({ pageSize: 1_000 });
  return accounts
    .filter(({ held }) => (held?.minorUnits ?? 0n) !== 0n)
    .map(({ accountId }) => accountId);
}
