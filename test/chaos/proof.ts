import type { Document, Filter } from "mongodb";
import { expect } from "vitest";
import { waitUntil } from "#test/support/wait-until.ts";
import { type Customers, fundsLeft } from "./customers.ts";
import type { Site } from "./stand.ts";

/** What may be left undone, as database, collection and what tells an open row. */
const OPEN: readonly (readonly [string, string, Filter<Document>])[] = [
  ["payment", "payments", { $or: [{ final: false }, { notify: { $type: "string" } }] }],
  ["payment", "refunds", { $or: [{ status: "PENDING" }, { notify: { $type: "string" } }] }],
  ["payment", "callbacks", { state: { $ne: "DONE" } }],
  ["gateway", "callbacks", { dueTime: { $type: "date" } }],
];

/** Payments that have not ended. */
export async function openPayments(site: Site): Promise<number> {
  const payments = (await site.database("payment")).collection("payments");
  return payments.countDocuments({ final: false });
}

/**
 * Waits until all that was accepted has ended and every callback's reconcile is done. A hook for the bound of 60 s from
 * `startMs` on that the issue names.
 */
export async function expectAllEnded(
  site: Site,
  expected: { readonly payments: number; readonly startMs: number; readonly boundMs?: number },
): Promise<void> {
  const payments = (await site.database("payment")).collection("payments");
  const boundMs = expected.startMs + (expected.boundMs ?? 60_000) - Date.now();
  const ended = async (): Promise<boolean> =>
    (await payments.countDocuments({ final: true })) >= expected.payments &&
    (await openRows(site)).length === 0;
  await waitUntil(ended, { boundMs, everyMs: 200, what: "the end of all payments" }).catch(
    async () => expect(await openRows(site), "still under way").toEqual([]),
  );
  expect(await payments.countDocuments({ final: true })).toBe(expected.payments);
}

async function openRows(site: Site): Promise<string[]> {
  const found = await Promise.all(
    OPEN.map(async ([service, collection, filter]) => {
      const rows = (await site.database(service)).collection(collection).find(filter).limit(20);
      return (await rows.toArray()).map(
        ({ _id, status, state, step }) =>
          `${service}.${collection} ${JSON.stringify({ _id, status, state, step })}`,
      );
    }),
  );
  return found.flat();
}

/** `settle audit` with every answer the customers got: nothing broken, and A10 judged all of them. */
export async function expectCleanAudit(site: Site, customers: Customers): Promise<void> {
  const outcome = await site.settle("audit", "--acks", customers.acks, "-o", "json");
  const report: AuditReport = JSON.parse(outcome.stdout);
  const broken = report.invariants.filter(({ result }) => result !== "INVARIANT_RESULT_OK");
  expect(broken, outcome.stderr).toEqual([]);
  expect(outcome.exitCode).toBe(0);
  const told = report.invariants.find(({ id }) => id === "A10");
  expect(Number(told?.checked)).toBe(customers.acknowledged());
}

interface AuditReport {
  readonly invariants: readonly {
    readonly id: string;
    readonly result: string;
    readonly checked?: string;
  }[];
}

/** Every account has lost exactly what its successful payments took, and nothing of it is held. */
export async function expectExactBalances(site: Site, customers: Customers): Promise<void> {
  const accounts = (await site.database("account")).collection("accounts");
  const payments = (await site.database("payment")).collection("payments");
  for (const accountId of customers.accounts) {
    const succeeded = await payments.countDocuments({ accountId, status: "SUCCEEDED" });
    const row = await accounts.findOne({ "_id.id": accountId });
    expect({ accountId, balance: BigInt(row?.["balance"]), held: BigInt(row?.["held"]) }).toEqual({
      accountId,
      balance: fundsLeft(succeeded),
      held: 0n,
    });
  }
}

/** How the payments of each behaviour ended, for example `HANG: FAILED 22`. */
export async function endsByBehaviour(
  site: Site,
  customers: Customers,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const payments = (await site.database("payment")).collection("payments");
  const rows = await payments.find({ accountId: { $in: [...customers.accounts] } }).toArray();
  const ends = new Map<number, string[]>();
  for (const { method, status } of rows) {
    ends.set(method.behaviour, [...(ends.get(method.behaviour) ?? []), status]);
  }
  return ends;
}
