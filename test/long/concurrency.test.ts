import { expect, test } from "vitest";
import { Behaviour, balanceOf, openAccount } from "#test/e2e/payment.support.ts";
import { payOneByOne, startMixedStack } from "#test/slow/concurrency.support.ts";
import { expectBooksBalance } from "#test/support/books.ts";

const CLIENTS = 32;
const EACH = 200;

test("32 clients with 200 payments each take exactly 6,400 units from one account, none lost and none doubled", {
  timeout: 1_800_000,
}, async () => {
  await using mixed = await startMixedStack();
  const { stack } = mixed;
  const accountId = await openAccount(stack, 10_000n);
  const begin = performance.now();
  const ends = await payOneByOne(mixed, accountId, {
    clients: CLIENTS,
    each: EACH,
    behaviours: [Behaviour.OK],
  });
  const seconds = (performance.now() - begin) / 1_000;
  process.stdout.write(
    `6,400 payments from one account: ${seconds.toFixed(0)} s, ${(6_400 / seconds).toFixed(0)} per second\n`,
  );
  expect(ends).toEqual({ SUCCEEDED: CLIENTS * EACH });
  expect(await balanceOf(stack, accountId)).toEqual({ balance: 3_600n, held: 0n });
  const auditBegin = performance.now();
  await expectBooksBalance(stack);
  process.stdout.write(`their audit: ${(performance.now() - auditBegin).toFixed(0)} ms\n`);
});
