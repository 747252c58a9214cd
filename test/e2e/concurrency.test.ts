import { afterAll, beforeAll, expect, test } from "vitest";
import { expectBooksBalance } from "#test/support/books.ts";
import { type MixedStack, payOneByOne, startMixedStack } from "./concurrency.support.ts";
import { balanceOf, openAccount } from "./payment.support.ts";

let mixed: MixedStack;
beforeAll(async () => {
  mixed = await startMixedStack();
});
afterAll(() => mixed[Symbol.asyncDispose]());

test("32 clients with ten payments each take exactly 320 units from one account, none lost and none doubled", async () => {
  const { stack, payments } = mixed;
  const accountId = await openAccount(stack, 1_000n);
  expect(await payOneByOne(payments, accountId, { clients: 32, each: 10 })).toEqual({
    SUCCEEDED: 320,
  });
  expect(await balanceOf(stack, accountId)).toEqual({ balance: 680n, held: 0n });
  await expectBooksBalance(stack);
});

test("of 96 payments at once an account of 50 units pays exactly 50, and the others leave no trace on it", async () => {
  const { stack, payments } = mixed;
  const accountId = await openAccount(stack, 50n);
  expect(await payOneByOne(payments, accountId, { clients: 32, each: 3 })).toEqual({
    "FAILED INSUFFICIENT_FUNDS": 46,
    SUCCEEDED: 50,
  });
  expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
  await expectBooksBalance(stack);
});
