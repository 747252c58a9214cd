import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  atProvider,
  Behaviour,
  balanceOf,
  endOf,
  mock,
  noticesOf,
  openAccount,
  pay,
  read,
  startQuickStack,
} from "./payment.support.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startQuickStack({
    SETTLE_CALLBACK_TIMEOUT: "3s",
    SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "5s",
  });
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

/** Behaviour of the provider, and how payment, account and the provider's book end. */
const STORIES = [
  ["OK", "SUCCEEDED", 0n, "CAPTURED 100-0"],
  ["CALLBACK", "SUCCEEDED", 0n, "CAPTURED 100-0"],
  ["FLAKY", "SUCCEEDED", 0n, "CAPTURED 100-0"],
  ["DECLINE", "FAILED GATEWAY_DECLINED", 100n, "DECLINED 0-0"],
  ["HANG", "FAILED GATEWAY_TIMEOUT", 100n, "VOIDED 0-0"],
  ["APPLY_THEN_DROP", "SUCCEEDED", 0n, "CAPTURED 100-0"],
  ["DUPLICATE_CALLBACK", "SUCCEEDED", 0n, "CAPTURED 100-0"],
  ["LATE_CALLBACK", "FAILED GATEWAY_TIMEOUT", 100n, "VOIDED 0-0"],
  ["FORGED_CALLBACK", "SUCCEEDED", 0n, "CAPTURED 100-0"],
  ["NO_CALLBACK", "SUCCEEDED", 0n, "CAPTURED 100-0"],
] as const;

describe.concurrent("a payment whose provider behaves as", () => {
  test.each(STORIES)(
    "%s ends %s with exact books and one message",
    async (name, end, balance, book) => {
      const accountId = await openAccount(stack, 100n);
      const paymentId = await pay(stack, accountId, Behaviour[name], {
        paymentMethod: mock(Behaviour[name], 4),
      });
      expect(await endOf(stack, paymentId)).toBe(end);
      expect(await balanceOf(stack, accountId)).toEqual({ balance, held: 0n });
      // A late authorisation comes back to life after the end; its reconcile voids it again.
      if (name === "LATE_CALLBACK") await reconciled(paymentId);
      expect(await atProvider(stack, paymentId)).toBe(book);
      const event = balance === 0n ? "succeeded" : "failed";
      expect(await noticesOf(stack, paymentId)).toEqual([event]);
      const { failure } = await read(stack, paymentId);
      expect(failure?.retryable ?? false).toBe(end.endsWith("TIMEOUT"));
    },
  );

  test("a card token is declined or taken as the token says", async () => {
    const accountId = await openAccount(stack, 200n);
    const card = (token: string) => ({
      paymentMethod: { method: { case: "cardToken" as const, value: { token } } },
    });
    const good = await pay(stack, accountId, undefined, card("tok_visa"));
    const bad = await pay(stack, accountId, undefined, card("tok_decline_expired_card"));
    expect(await endOf(stack, good)).toBe("SUCCEEDED");
    expect(await endOf(stack, bad)).toBe("FAILED GATEWAY_DECLINED");
    expect((await read(stack, bad)).failure?.message).toContain("expired_card");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });
});

async function reconciled(paymentId: string): Promise<void> {
  const { client } = await stack.platform.temporal();
  const handle = client.workflow.getHandle(`reconcile-${paymentId}`);
  const action = await waitUntil(() => handle.result(), { what: "the reconcile" });
  expect(action).toEqual({ action: "voided" });
}
