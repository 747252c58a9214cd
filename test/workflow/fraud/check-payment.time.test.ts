import { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { createLog } from "#kit/log.ts";
import { closePeers } from "#kit/rpc/client.ts";
import { installRuntime } from "#kit/temporal/runtime.ts";
import { readFraudConfig } from "#services/fraud/config.ts";
import {
  FRAUD_CHECK_POLICY,
  FRAUD_CHECK_WORKFLOW,
  FRAUD_TASK_QUEUE,
  type FraudCheckInput,
  type FraudCheckResult,
} from "#services/fraud/contract.ts";
import { startFraudService } from "#services/fraud/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";
import { toolPath } from "#test/support/env.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let environment: TestWorkflowEnvironment;
let alone: Alone | undefined;

// One server per test: time that one test skipped would be past for the next one's checks.
beforeEach(async () => {
  installRuntime(createLog("silent"));
  environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: {
      executable: { type: "existing-path", path: toolPath("temporal-test-server") },
    },
  });
  const place = { address: environment.address, namespace: "default" };
  alone = await startAlone(
    readFraudConfig,
    startFraudService,
    { SETTLE_FRAUD_REVIEW_LIMITS: "USD:500" },
    place,
  );
});
afterEach(async () => {
  await alone?.[Symbol.asyncDispose]();
  alone = undefined;
  await environment.teardown();
});
afterAll(() => closePeers());

async function startReview(paymentId: string) {
  const input: FraudCheckInput = {
    tenant: "default",
    checkId: `${paymentId}:fraud-check`,
    paymentId,
    accountId: "alice",
    amount: { currencyCode: "USD", minorUnits: "600" },
    policy: FRAUD_CHECK_POLICY,
  };
  const handle = await environment.client.workflow.start<
    (input: FraudCheckInput) => Promise<FraudCheckResult>
  >(FRAUD_CHECK_WORKFLOW, {
    taskQueue: FRAUD_TASK_QUEUE,
    workflowId: `fraud-check-${paymentId}`,
    args: [input],
  });
  if (alone === undefined) throw new Error("fraud does not run");
  const db = await alone.platform.database("fraud");
  const checks = db.collection("checks");
  await waitUntil(async () => (await checks.findOne({ paymentId })) ?? undefined);
  return { handle, checks };
}

async function lastedMs(): Promise<number> {
  return (await environment.currentTimeMs()) - Date.now();
}

test("expires after seven days without a decision, and asks the store seldom meanwhile", async () => {
  const { handle } = await startReview("p1");
  expect(await handle.result()).toMatchObject({ decision: "EXPIRED", rules: ["REVIEW_LIMIT"] });
  const days = (await lastedMs()) / DAY_MS;
  expect(days).toBeGreaterThan(6.9);
  expect(days).toBeLessThan(7.1);
  const { events } = await handle.fetchHistory();
  const looks = events?.filter((event) => event.markerRecordedEventAttributes).length ?? 0;
  expect(looks).toBeGreaterThan(5);
  expect(looks).toBeLessThan(20);
});

test("finds a decision whose signal was lost ten minutes after the check", async () => {
  const { handle, checks } = await startReview("p2");
  await checks.updateOne({ paymentId: "p2" }, { $set: { decision: "PASS" } });
  expect(await handle.result()).toMatchObject({ decision: "PASS" });
  const minutes = (await lastedMs()) / MINUTE_MS;
  expect(minutes).toBeGreaterThan(9);
  expect(minutes).toBeLessThan(11);
});
