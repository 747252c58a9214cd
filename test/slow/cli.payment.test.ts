import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { PaymentStatus, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { runCommand } from "#test/support/run-command.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ SETTLE_GATEWAY_CALLBACK_DELAY: "200ms" });
  await stack.account.createAccount({ account: { accountId: "payer", currencyCode: "USD" } });
  const amount = { currencyCode: "USD", minorUnits: 100_000n };
  await stack.account.credit({ transactionId: "top-up", accountId: "payer", amount });
});
afterAll(() => stack[Symbol.asyncDispose]());

/** `settle …` as a process of its own, pointed at the stack. */
async function settle(...argv: readonly string[]) {
  const urls = Object.entries(stack.addresses).map(([name, address]) => [
    `SETTLE_URL_${name.toUpperCase()}`,
    `http://${address}`,
  ]);
  const env = { ...Object.fromEntries(urls), NO_COLOR: "1" };
  return runCommand([process.execPath, "tools/cli/main.ts", ...argv], { env, boundMs: 50_000 });
}

describe("settle payment", () => {
  test("create, watch, refund and get tell one story, and the books are clean after it", async () => {
    const created = await settle(
      ...["payment", "create", "--account", "payer", "--amount", "12.50", "USD"],
      ...["--mock", "callback", "-o", "json"],
    );
    expect(created.stderr).toBe("");
    const { paymentId } = JSON.parse(created.stdout).payment;

    const watched = await settle("payment", "watch", paymentId, "-o", "json");
    expect(watched.exitCode).toBe(0);
    const changes = watched.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).status);
    expect(changes.at(-1)).toBe("PAYMENT_STATUS_SUCCEEDED");

    expect((await settle("payment", "refund", paymentId, "--amount", "2.50", "USD")).exitCode).toBe(
      0,
    );
    await waitUntil(async () => {
      const { payment } = await stack.payment.get({ paymentId });
      return payment?.status === PaymentStatus.PARTIALLY_REFUNDED;
    });
    const shown = await settle("payment", "get", paymentId);
    expect(shown.stdout).toMatch(/status +PARTIALLY_REFUNDED\n/);
    expect(shown.stdout).toMatch(/refunded +2\.50 USD\n/);

    const entries = await settle("account", "entries", "payer");
    expect(entries.stdout).toMatch(/\+2\.50 USD +990\.00 USD/);
    expect(entries.stdout).toMatch(/-12\.50 USD +987\.50 USD/);

    const cancelled = await settle("payment", "cancel", paymentId);
    expect(cancelled.exitCode).toBe(1);
    expect(cancelled.stderr).toContain("NOT_CANCELLABLE");

    const audited = await settle("audit");
    expect(audited.stdout).toContain("the books are clean");
    expect(audited.exitCode).toBe(0);
  });

  test("an account that is not there is named, with exit code 1", async () => {
    const { exitCode, stderr } = await settle("account", "get", "nobody");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: ACCOUNT_NOT_FOUND: .*nobody/m);
  });

  test("recover on a sound system starts nothing", async () => {
    const { exitCode, stdout } = await settle("recover", "-o", "json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ startedWorkflows: 0, errors: [] });
  });
});

test("an audit while money moves raises no false alarm, because it reads one moment of all books", async () => {
  let paying = true;
  const audits = (async () => {
    const results: boolean[] = [];
    while (paying) results.push((await stack.reporting.audit({})).ok);
    return results;
  })();
  await Promise.all(Array.from({ length: 4 }, (_, worker) => payAndUndo(worker, 6)));
  paying = false;
  const results = await audits;
  expect(results.length).toBeGreaterThan(2);
  expect(results.every(Boolean)).toBe(true);
  await waitUntil(async () => (await stack.reporting.audit({})).openPayments === 0n);
  expect((await stack.reporting.audit({})).ok).toBe(true);
});

/** Payments of every kind that ends by itself, some cancelled, some given back. */
async function payAndUndo(worker: number, count: number): Promise<void> {
  const { OK, CALLBACK, DECLINE, DUPLICATE_CALLBACK, APPLY_THEN_DROP } = Behaviour;
  const behaviours = [OK, CALLBACK, DECLINE, DUPLICATE_CALLBACK, APPLY_THEN_DROP];
  for (let i = 0; i < count; i += 1) {
    const behaviour = behaviours[(i + worker) % behaviours.length] ?? OK;
    const { payment } = await stack.payment.create(
      {
        accountId: "payer",
        amount: { currencyCode: "USD", minorUnits: 100n },
        paymentMethod: { method: { case: "mock", value: { behaviour } } },
        waitUntil: i % 3 === 2 ? WaitUntil.ACCEPTED : WaitUntil.COMPLETED,
      },
      { timeoutMs: 30_000 },
    );
    const paymentId = payment?.paymentId ?? "";
    // Either may be refused, by how the payment ended: what counts is that the books stay clean.
    const undo =
      i % 3 === 2 ? stack.payment.cancel({ paymentId }) : stack.payment.refund({ paymentId });
    await undo.catch(() => undefined);
  }
}
