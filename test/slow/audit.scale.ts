import type { Document } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { booksOf, transfer } from "#test/e2e/reporting.books.ts";
import type { Story } from "#test/e2e/reporting.stories.ts";
import { type AuditStand, type Place, startAuditStand } from "#test/e2e/reporting.support.ts";

const CHUNK = 5_000;
const TIMEOUT_MS = 30 * 60_000;
/** Heap that an audit may add, whatever the number of payments, in MiB. All of 200,000 at once would be 600 and more. */
const HEAP_MIB_MAX = 300;

const story = (index: number): Story => ({
  id: `p${String(index).padStart(9, "0")}`,
  status: "SUCCEEDED",
  amount: 1_000n,
  captured: 1_000n,
  phase: "CAPTURING",
  hold: "CAPTURED",
  gateway: "CAPTURED",
  check: "PASS",
});

/** Fills the books with so many settled payments, a chunk at a time, and makes the balances fit. */
async function fill(stand: AuditStand, payments: number): Promise<void> {
  await stand.fill(booksOf([]));
  for (let from = 0; from < payments; from += CHUNK) {
    const stories = Array.from({ length: Math.min(CHUNK, payments - from) }, (_, i) =>
      story(from + i),
    );
    for (const [place, documents] of booksOf(stories)) {
      if (place !== "account.accounts" && place !== "fraud.tallies")
        await insert(stand, place, documents);
    }
  }
  const total = BigInt(payments) * 1_000n;
  // What alice pays she was given before.
  const given = transfer("given", "external:funding:USD", "alice", total);
  await insert(stand, "account.transfers", [given]);
  await stand.change("account.accounts", "external:funding:USD", { $inc: { balance: -total } });
  await stand.change("account.accounts", "provider:mock:USD", { $inc: { balance: total } });
  await stand.change("fraud.tallies", "alice:USD", { $inc: { amount: total } });
}

async function insert(
  stand: AuditStand,
  place: Place,
  documents: readonly Document[],
): Promise<void> {
  // The top-up of every chunk is the first one's.
  const fresh = documents.filter((document) => document["_id"].id !== "top-up");
  if (fresh.length === 0) return;
  const options = { ordered: false, bypassDocumentValidation: true, writeConcern: { w: 1 } };
  await (await stand.collection(place)).insertMany([...fresh], options);
}

/** Audits so many payments by stream, and breaks one. */
export function describeAuditOf(payments: number): void {
  let stand: AuditStand;
  beforeAll(async () => {
    stand = await startAuditStand();
    await fill(stand, payments);
  }, TIMEOUT_MS);
  afterAll(() => stand[Symbol.asyncDispose]());

  /** The last message, what was told on the way, and the most heap that was seen. */
  async function stream() {
    const client = createPeer(ReportingService, stand.reportingUrl);
    const checked: bigint[] = [];
    let heapMib = 0;
    const before = process.memoryUsage().heapUsed;
    for await (const { event } of client.streamAudit({}, { timeoutMs: TIMEOUT_MS })) {
      heapMib = Math.max(heapMib, (process.memoryUsage().heapUsed - before) / 2 ** 20);
      if (event.case === "progress") checked.push(event.value.checkedPayments);
      if (event.case === "audit") return { audit: event.value, checked, heapMib };
    }
    throw new Error("no answer");
  }

  describe(`an audit of ${payments} payments`, () => {
    test(
      "ends clean in bounded memory, and tells how far it is",
      async () => {
        const { audit, checked, heapMib } = await stream();
        expect(audit).toMatchObject({ ok: true, finalPayments: BigInt(payments) });
        expect(checked).toEqual(checked.toSorted((a, b) => Number(a - b)));
        expect(checked.length).toBeGreaterThan(0);
        expect(heapMib).toBeLessThan(HEAP_MIB_MAX);
      },
      TIMEOUT_MS,
    );

    test(
      "finds the one payment that is wrong",
      async () => {
        const { id } = story(Math.floor(payments / 2));
        await stand.change("notification.notifications", `${id}:succeeded`, {
          $set: { variables: [{ key: "minorUnits", value: "1001" }] },
        });
        const { audit } = await stream();
        const broken = audit.invariants.filter(({ violationCount }) => violationCount > 0n);
        expect(broken.map((one) => [one.id, one.violations.map((each) => each.id)])).toEqual([
          ["A8", [id]],
        ]);
      },
      TIMEOUT_MS,
    );
  });
}
