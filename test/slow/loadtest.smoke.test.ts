import path from "node:path";
import { expect, test } from "vitest";
import { toolPath } from "#test/support/env.ts";
import { runCommand } from "#test/support/run-command.ts";
import { startStack } from "#test/support/stack.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const SCENARIO = path.join(ROOT, "loadtest/scenarios/payment-smoke.js");

test("the k6 smoke pays, counts its payments and finds the books balanced", async () => {
  await using stack = await startStack();
  const { exitCode, stdout, stderr } = await runCommand(
    [toolPath("k6"), "run", "--quiet", "--no-color", "--no-usage-report", SCENARIO],
    { env: { ...stack.env, VUS: "2", PAYMENTS: "4" } },
  );
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  expect(stdout).toMatch(/✓ 'count==8' count=8[\s\S]*✓ 'count==8' count=8/);

  const { payments } = await stack.payment.list({ pageSize: 100 });
  expect(payments).toHaveLength(8);
});

test("a run that cannot pay everything fails by its own count, so a green run means something", async () => {
  await using stack = await startStack({ SETTLE_FRAUD_AMOUNT_LIMITS: "USD:24" });
  const { exitCode, stdout } = await runCommand(
    [toolPath("k6"), "run", "--quiet", "--no-color", "--no-usage-report", SCENARIO],
    { env: { ...stack.env, VUS: "1", PAYMENTS: "2" } },
  );
  expect(exitCode).not.toBe(0);
  expect(stdout).toMatch(/✓ 'count==2' count=2[\s\S]*✗ 'count==2' count=0/);
});
