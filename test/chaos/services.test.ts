import { expect, test } from "vitest";
import { waitUntil } from "#test/support/wait-until.ts";
import { openAccounts } from "./customers.ts";
import { expectAllEnded, expectCleanAudit, expectExactBalances, openPayments } from "./proof.ts";
import { ServiceProcesses } from "./service-processes.ts";

const VICTIMS = ["account", "fraud", "gateway", "notification", "payment", "reporting"] as const;
/** Payments that are made around the death of each service. */
const EACH = 27;

test("kill -9 of one service after the other while payments go on: each comes back alone, and every payment ends once", {
  timeout: 180_000,
}, async () => {
  await using services = await ServiceProcesses.start();
  const customers = await openAccounts(services);
  let startMs = Date.now();
  for (const victim of VICTIMS) {
    const before = customers.acknowledged();
    const paying = customers.payAll(EACH);
    paying.catch(() => undefined);
    const some = async (): Promise<boolean> => customers.acknowledged() >= before + EACH / 3;
    await waitUntil(some, { what: "some payments", everyMs: 5 });
    expect(await openPayments(services)).toBeGreaterThan(0);
    await services.kill(victim);
    startMs = Date.now();
    await services.start(victim);
    await paying;
  }
  await expectAllEnded(services, { payments: VICTIMS.length * EACH, startMs });
  await expectCleanAudit(services, customers);
  await expectExactBalances(services, customers);
});
