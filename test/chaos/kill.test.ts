import { expect, test } from "vitest";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { type Customers, openAccounts } from "./customers.ts";
import {
  endsByBehaviour,
  expectAllEnded,
  expectCleanAudit,
  expectExactBalances,
  openPayments,
} from "./proof.ts";
import { Stand } from "./stand.ts";

const PAYMENTS = 200;
/** For half of them, on a machine that does other work too. */
const HALF_MS = 90_000;

/** Customers pay; in the middle everything dies, and `between` happens before it starts again. */
async function killInTheMiddle(
  stand: Stand,
  between: () => Promise<void> = async () => undefined,
): Promise<{ readonly customers: Customers; readonly startMs: number }> {
  await stand.start();
  const customers = await openAccounts(stand);
  const paying = customers.payAll(PAYMENTS);
  const half = async () => customers.acknowledged() >= PAYMENTS / 2;
  // A customer who is refused fails the test at once and by its reason, not by a wait that ends.
  await Promise.race([waitUntil(half, { what: "half of them", boundMs: HALF_MS }), paying]);
  expect(await openPayments(stand)).toBeGreaterThan(0);
  await stand.kill();
  expect(customers.acknowledged()).toBeLessThan(PAYMENTS);
  await between();
  const startMs = Date.now();
  await stand.start();
  await paying;
  return { customers, startMs };
}

async function expectEverySettled(stand: Stand, customers: Customers): Promise<void> {
  await expectCleanAudit(stand, customers);
  await expectExactBalances(stand, customers);
  const ends = await endsByBehaviour(stand, customers);
  expect(new Set(ends.get(Behaviour.DECLINE))).toEqual(new Set(["FAILED"]));
  expect(new Set(ends.get(Behaviour.HANG))).toEqual(new Set(["FAILED"]));
  for (const behaviour of [Behaviour.OK, Behaviour.CALLBACK, Behaviour.APPLY_THEN_DROP])
    expect(ends.get(behaviour)).toContain("SUCCEEDED");
}

test("kill -9 of everything in the middle of 200 payments: after a start each has ended once, and the audit still finds one lost cent", {
  timeout: 180_000,
}, async () => {
  await using stand = await Stand.create();
  const { customers, startMs } = await killInTheMiddle(stand);
  await expectAllEnded(stand, { payments: PAYMENTS, startMs });
  await expectEverySettled(stand, customers);

  const [robbed = ""] = customers.accounts;
  const accounts = (await stand.database("account")).collection("accounts");
  const loss = { $inc: { balance: -1n } };
  await accounts.updateOne({ "_id.id": robbed }, loss, { bypassDocumentValidation: true });
  const { exitCode, stdout } = await stand.settle("audit", "--acks", customers.acks);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(new RegExp(`^A2 +${robbed}: `, "m"));
});

test("the same with Temporal's store lost as well: settle recover brings every accepted payment to its end", {
  timeout: 180_000,
}, async () => {
  await using stand = await Stand.create();
  const { customers, startMs } = await killInTheMiddle(stand, () => stand.deleteTemporalStore());
  const recovery = await stand.settle("recover", "-o", "json");
  expect(recovery.exitCode, recovery.stderr).toBe(0);
  expect(JSON.parse(recovery.stdout).errors ?? []).toEqual([]);
  await expectAllEnded(stand, { payments: PAYMENTS, startMs });
  await expectEverySettled(stand, customers);
});
