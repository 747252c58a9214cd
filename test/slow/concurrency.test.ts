import { afterAll, beforeAll, expect, test } from "vitest";
import { Behaviour, balanceOf, openAccount } from "#test/e2e/payment.support.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { type MixedStack, payOneByOne, startMixedStack } from "./concurrency.support.ts";

let mixed: MixedStack;
beforeAll(async () => {
  mixed = await startMixedStack();
});
afterAll(() => mixed[Symbol.asyncDispose]());

// Seconds on an idle machine, and minutes on a busy one.
const TIMEOUT_MS = 180_000;
const { OK, CALLBACK, DECLINE, APPLY_THEN_DROP } = Behaviour;

test(
  "32 clients with ten payments each take exactly what succeeded from one account, none lost and none doubled",
  async () => {
    const { stack } = mixed;
    const accountId = await openAccount(stack, 1_000n);
    const behaviours = [OK, OK, CALLBACK, DECLINE, APPLY_THEN_DROP];
    const load = { clients: 32, each: 10, behaviours };
    expect(await payOneByOne(mixed, accountId, load)).toEqual({
      "FAILED GATEWAY_DECLINED": 64,
      SUCCEEDED: 256,
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 744n, held: 0n });
    await expectBooksBalance(stack);
  },
  TIMEOUT_MS,
);

test(
  "of 96 payments at once an account of 50 units pays exactly 50, and the others leave no trace on it",
  async () => {
    const { stack } = mixed;
    const accountId = await openAccount(stack, 50n);
    const load = { clients: 32, each: 3, behaviours: [OK] };
    expect(await payOneByOne(mixed, accountId, load)).toEqual({
      "FAILED INSUFFICIENT_FUNDS": 46,
      SUCCEEDED: 50,
    });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
    await expectBooksBalance(stack);
  },
  TIMEOUT_MS,
);
