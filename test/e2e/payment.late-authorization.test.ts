import { expect, test } from "vitest";
import { expectBooksBalance } from "#test/support/books.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  atProvider,
  Behaviour,
  countRows,
  endOf,
  openAccount,
  pay,
  startQuickStack,
} from "./payment.support.ts";

test("an authorisation that comes to life between its void and the final row is given up, for no reconcile follows", async () => {
  await using stack = await startQuickStack({
    SETTLE_CALLBACK_TIMEOUT: "1s",
    SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "3s",
  });
  const accountId = await openAccount(stack, 1_000n);
  const paymentId = await pay(stack, accountId, Behaviour.LATE_CALLBACK);
  await waitUntil(async () => (await atProvider(stack, paymentId)) === "PENDING 0-0");
  // The hold cannot be released, so the saga stands between the void and its end.
  await stack.stop("account");
  await waitUntil(async () => (await atProvider(stack, paymentId)) === "VOIDED 0-0");
  await waitUntil(async () => (await atProvider(stack, paymentId)) === "AUTHORIZED 0-0");
  await waitUntil(async () => (await countRows(stack, "callbacks", { state: "SIGNALLED" })) === 1);
  await stack.start("account");
  expect(await endOf(stack, paymentId)).toBe("FAILED GATEWAY_TIMEOUT");
  await expectBooksBalance(stack);
  expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
});
