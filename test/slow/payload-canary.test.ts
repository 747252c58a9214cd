import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import {
  Behaviour,
  endOf,
  openAccount,
  PaymentStatus,
  pay,
  startQuickStack,
  until,
  usd,
} from "#test/e2e/payment.support.ts";
import type { Stack } from "#test/support/stack.ts";
import { temporaryDirectory } from "#test/support/start-process.ts";
import { startPrivateInfrastructure } from "#tools/devstack/infrastructure.ts";
import { defaultDeps } from "#tools/provision/provision.ts";

/** Amounts that stand nowhere by chance. */
const READABLE = 987_654_321n;
const CANARY = 876_543_219n;

/** Every kind of payload there is: inputs, steps, a child, a signal, updates, failures with texts, a refund. */
async function live(stack: Stack, name: string, amount: bigint): Promise<string> {
  const fields = { amount: usd(amount), description: `${name}-description` };
  const accountId = await openAccount(stack, 2n * amount, { name: `${name}-account` });
  const settled = await pay(stack, accountId, Behaviour.CALLBACK, fields);
  expect(await endOf(stack, settled)).toBe("SUCCEEDED");
  await stack.payment.refund({ paymentId: settled, reason: `${name}-reason` });
  const poor = await openAccount(stack, 1n, { name: `${name}-poor` });
  expect(await endOf(stack, await pay(stack, poor, Behaviour.OK, fields))).toBe(
    "FAILED INSUFFICIENT_FUNDS",
  );
  for (const end of ["capture", "cancel"] as const) {
    const manual = { ...fields, amount: usd(amount / 3n), captureMode: CaptureMode.MANUAL };
    const paymentId = await pay(stack, accountId, Behaviour.OK, manual);
    await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
    if (end === "capture") await stack.payment.capture({ paymentId });
    else await stack.payment.cancel({ paymentId, reason: `${name}-reason` });
    expect(await endOf(stack, paymentId)).toBe(
      end === "capture" ? "SUCCEEDED" : "CANCELLED CANCELLED",
    );
  }
  return settled;
}

async function hits(database: string, text: string): Promise<number> {
  const files = await Promise.all(
    ["", "-wal"].map((end) => readFile(`${database}${end}`).catch(() => Buffer.alloc(0))),
  );
  const all = Buffer.concat(files);
  let count = 0;
  for (let at = all.indexOf(text); at >= 0; at = all.indexOf(text, at + 1)) count += 1;
  return count;
}

test("nothing of a payment is readable in Temporal's database: no account, no text, no amount", async () => {
  await using data = await temporaryDirectory();
  // mongod is the run's.
  const deps = { ...defaultDeps(), env: { ...process.env, TEMPORAL_ADDRESS: "" } };
  const infrastructure = await startPrivateInfrastructure(data.path, deps);
  const env = { TEMPORAL_ADDRESS: infrastructure.temporalAddress, TEMPORAL_NAMESPACE: "default" };
  try {
    {
      await using open = await startQuickStack({ ...env, SETTLE_PAYLOAD_KEYS: "none" });
      await live(open, "readable", READABLE);
    }
    const database = path.join(data.path, "temporal.db");
    // The search finds what is there to be found.
    for (const text of ["readable-account", "readable-poor", `${READABLE}`]) {
      expect([text, (await hits(database, text)) > 0]).toEqual([text, true]);
    }
    {
      await using stack = await startQuickStack(env);
      await live(stack, "canary", CANARY);
    }
    await infrastructure.stop();
    expect(await hits(database, "canary-")).toBe(0);
    expect(await hits(database, `${CANARY}`)).toBe(0);
    expect(await hits(database, `${CANARY / 3n}`)).toBe(0);
    expect(await hits(database, "binary/encrypted")).toBeGreaterThan(20);
  } finally {
    await infrastructure.stop();
  }
});
