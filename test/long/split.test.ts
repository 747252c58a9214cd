import { expect, test } from "vitest";
import { openAccounts } from "#test/chaos/customers.ts";
import { expectAllEnded, expectCleanAudit, expectExactBalances } from "#test/chaos/proof.ts";
import { Stand } from "#test/chaos/stand.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const VICTIMS = [
  ...["account", "fraud", "gateway", "notification", "payment", "reporting"],
  ...["mongod", "temporal"],
];
const EACH = 27;

test("npm start -- --split says which service was killed and stops; after each new start every payment ends once", {
  timeout: 900_000,
}, async () => {
  await using stand = await Stand.create("--split");
  await stand.start();
  const customers = await openAccounts(stand);
  let startMs = Date.now();
  for (const victim of VICTIMS) {
    const before = customers.acknowledged();
    const paying = customers.payAll(EACH);
    paying.catch(() => undefined);
    await waitUntil(async () => customers.acknowledged() >= before + EACH / 3, { everyMs: 5 });
    expect(await stand.killOne(victim)).toContain(`${victim} ended (signal SIGKILL)`);
    startMs = Date.now();
    await stand.start();
    await paying;
  }
  await expectAllEnded(stand, { payments: VICTIMS.length * EACH, startMs });
  await expectCleanAudit(stand, customers);
  await expectExactBalances(stand, customers);
});
