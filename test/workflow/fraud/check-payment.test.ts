import { Context } from "@temporalio/activity";
import { Client, type WorkflowHandle } from "@temporalio/client";
import { Worker } from "@temporalio/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudDecision, FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { workflowBundle } from "#kit/temporal/bundle.ts";
import { startWorker } from "#kit/temporal/worker.ts";
import { readFraudConfig } from "#services/fraud/config.ts";
import {
  FRAUD_CHECK_POLICY,
  FRAUD_CHECK_WORKFLOW,
  FRAUD_TASK_QUEUE,
  type FraudActivities,
  type FraudCheckInput,
  type FraudCheckResult,
  fraudCheckId,
  fraudCheckWorkflowId,
  fraudStatusQuery,
} from "#services/fraud/contract.ts";
import { startFraudService } from "#services/fraud/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";
import { createNamespace } from "#test/support/namespace.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const BUNDLE = new URL("../../../services/fraud/workflows/index.ts", import.meta.url).href;

let alone: Alone;
let count = 0;

beforeAll(async () => {
  alone = await startAlone(readFraudConfig, startFraudService, {
    SETTLE_FRAUD_REVIEW_LIMITS: "USD:500",
    SETTLE_FRAUD_AMOUNT_LIMITS: "USD:1000",
  });
});
afterAll(() => alone[Symbol.asyncDispose]());

const fraud = () => createPeer(FraudService, alone.url);

function newInput(minorUnits: string, changes: Partial<FraudCheckInput> = {}): FraudCheckInput {
  count += 1;
  const paymentId = `payment-${count}`;
  return {
    tenant: "default",
    checkId: fraudCheckId(paymentId),
    paymentId,
    accountId: "alice",
    amount: { currencyCode: "USD", minorUnits },
    policy: FRAUD_CHECK_POLICY,
    ...changes,
  };
}

type Handle = WorkflowHandle<(input: FraudCheckInput) => Promise<FraudCheckResult>>;

async function start(input: FraudCheckInput): Promise<Handle> {
  const { client } = await alone.platform.temporal();
  return client.workflow.start(FRAUD_CHECK_WORKFLOW, {
    taskQueue: FRAUD_TASK_QUEUE,
    workflowId: fraudCheckWorkflowId(input.paymentId),
    workflowIdReusePolicy: "ALLOW_DUPLICATE",
    args: [input],
  });
}

async function startInReview(changes: Partial<FraudCheckInput> = {}) {
  const input = newInput("600", changes);
  const handle = await start(input);
  await waitUntil(async () => (await handle.query(fraudStatusQuery)).state === "IN_REVIEW");
  return { input, handle };
}

function decide(checkId: string, decision: FraudDecision) {
  return fraud().submitDecision({ subject: { case: "checkId", value: checkId }, decision });
}

async function events(handle: Pick<Handle, "fetchHistory">): Promise<string[]> {
  const history = await handle.fetchHistory();
  return (history.events ?? []).map((event) => {
    const attributes = Object.keys(event).find((name) => name.endsWith("EventAttributes"));
    return attributes?.replace("EventAttributes", "") ?? "";
  });
}

/** What a person decides without the signal reaching the workflow. */
async function decideSilently(checkId: string, decision: "PASS" | "FAIL"): Promise<void> {
  const db = await alone.platform.database("fraud");
  await db
    .collection("checks")
    .updateOne({ "_id.id": checkId }, { $set: { decision, decideTime: new Date() } });
}

describe("rules", () => {
  test("pass in one workflow task and six events", async () => {
    const input = newInput("500");
    const handle = await start(input);
    expect(await handle.result()).toEqual({
      decision: "PASS",
      rules: [],
      checkId: input.checkId,
    });
    expect(await events(handle)).toEqual([
      "workflowExecutionStarted",
      "workflowTaskScheduled",
      "workflowTaskStarted",
      "workflowTaskCompleted",
      "markerRecorded",
      "workflowExecutionCompleted",
    ]);
    expect((await handle.query(fraudStatusQuery)).state).toBe("DONE");
  });

  test("fail at once, with the rules that spoke", async () => {
    const handle = await start(newInput("1001"));
    expect(await handle.result()).toMatchObject({
      decision: "FAIL",
      rules: ["AMOUNT_LIMIT", "REVIEW_LIMIT"],
    });
  });

  test("answer the same in regular mode, by any worker of the queue", async () => {
    const policy = { ...FRAUD_CHECK_POLICY, stepsMode: "regular" } as const;
    const handle = await start(newInput("1", { policy }));
    expect(await handle.result()).toMatchObject({ decision: "PASS" });
    expect(await events(handle)).toContain("activityTaskCompleted");
  });

  test("go on being asked when the id was used for another payment, which is a bug and no verdict", async () => {
    const input = newInput("1");
    await (await start(input)).result();
    const handle = await start({ ...input, accountId: "bob" });
    await waitUntil(async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.some(
        ({ lastFailure }) => lastFailure?.applicationFailureInfo?.type === "CHECK_ID_REUSED",
      );
    });
    expect((await handle.describe()).status.name).toBe("RUNNING");
    await handle.terminate("the test is over");
  });
});

describe("a review", () => {
  test.each([
    ["PASS", FraudDecision.PASS],
    ["FAIL", FraudDecision.FAIL],
  ])("ends with a person's %s as soon as it is stored", async (text, decision) => {
    const { input, handle } = await startInReview();
    await decide(input.checkId, decision);
    expect(await handle.result()).toEqual({
      decision: text,
      rules: ["REVIEW_LIMIT"],
      checkId: input.checkId,
    });
  });

  test("is not passed by a signal that claims so while the store says REVIEW", async () => {
    const { input, handle } = await startInReview();
    await handle.signal("fraud-check", { isValid: true });
    await waitUntil(async () => (await markers(handle)) === 2);
    expect((await handle.query(fraudStatusQuery)).state).toBe("IN_REVIEW");
    await decide(input.checkId, FraudDecision.FAIL);
    expect(await handle.result()).toMatchObject({ decision: "FAIL" });
  });

  test("takes a signal without a boolean for no decision, and above all for no decline", async () => {
    const { input, handle } = await startInReview();
    await handle.signal("fraud-check", {});
    await handle.signal("fraud-check", null);
    await handle.signal("fraud-check", { isValid: "yes" });
    await handle.signal("fraud-check");
    expect((await handle.query(fraudStatusQuery)).state).toBe("IN_REVIEW");
    expect(await markers(handle)).toBe(1);
    await decide(input.checkId, FraudDecision.PASS);
    expect(await handle.result()).toMatchObject({ decision: "PASS" });
  });

  test("tells the parent which check waits and since when", async () => {
    const { handle: parent } = await startInReview();
    const { input } = await startInReview({ parentWorkflowId: parent.workflowId });
    const signalled = await waitUntil(async () => {
      const { events: all } = await parent.fetchHistory();
      return all?.find((event) => event.workflowExecutionSignaledEventAttributes);
    });
    const attributes = signalled.workflowExecutionSignaledEventAttributes;
    expect(attributes?.signalName).toBe("fraud-review");
    const payload = JSON.parse(
      Buffer.from(attributes?.input?.payloads?.[0]?.data ?? []).toString(),
    );
    expect(payload).toEqual({ checkId: input.checkId, createTimeMs: expect.any(Number) });
  });

  test("goes on when there is no parent to tell", async () => {
    const { input, handle } = await startInReview({ parentWorkflowId: "nowhere" });
    await decide(input.checkId, FraudDecision.PASS);
    expect(await handle.result()).toMatchObject({ decision: "PASS" });
  });

  test("ends as cancelled when the saga cancels it", async () => {
    const { handle } = await startInReview();
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ name: "WorkflowFailedError" });
    expect((await handle.describe()).status.name).toBe("CANCELLED");
  });
});

describe("a lost workflow", () => {
  test("answers the stored decision when it is started again", async () => {
    const { input, handle } = await startInReview();
    await handle.terminate();
    await decide(input.checkId, FraudDecision.PASS);
    const again = await start(input);
    expect(await again.result()).toMatchObject({ decision: "PASS" });
  });

  test("counts its deadline from the check and not from its restart", async () => {
    const { input, handle } = await startInReview();
    await handle.terminate();
    const db = await alone.platform.database("fraud");
    const eightDaysAgo = new Date(Date.now() - 8 * 86_400_000);
    await db
      .collection("checks")
      .updateOne({ "_id.id": input.checkId }, { $set: { createTime: eightDaysAgo } });
    const again = await start(input);
    expect(await again.result()).toMatchObject({ decision: "EXPIRED" });
  });
});

describe("Fraud that does not answer", () => {
  test.each([
    [2, false],
    [4, true],
  ])(
    "is asked again until it does: %i failures, by a regular activity: %s",
    async (failures, regular) => {
      let attempts = 0;
      await using lonely = await workerWith(async () => {
        attempts += 1;
        if (attempts <= failures) throw new Error("connection refused");
        return { decision: "PASS", rules: [], createTimeMs: Date.now() };
      });
      const input = newInput("1");
      const handle = await lonely.client.workflow.start(FRAUD_CHECK_WORKFLOW, {
        taskQueue: FRAUD_TASK_QUEUE,
        workflowId: fraudCheckWorkflowId(input.paymentId),
        args: [input],
      });
      expect(await handle.result()).toMatchObject({ decision: "PASS" });
      expect(attempts).toBe(failures + 1);
      expect((await events(handle)).includes("activityTaskCompleted")).toBe(regular);
    },
  );

  test("is asked by a regular activity when it hangs, so that no answer is taken for a failure", async () => {
    await using lonely = await workerWith(async () => {
      if (Context.current().info.isLocal) await cancelled();
      return { decision: "PASS", rules: [], createTimeMs: Date.now() };
    });
    const input = newInput("1");
    const handle = await lonely.client.workflow.start(FRAUD_CHECK_WORKFLOW, {
      taskQueue: FRAUD_TASK_QUEUE,
      workflowId: fraudCheckWorkflowId(input.paymentId),
      args: [input],
    });
    expect(await handle.result()).toMatchObject({ decision: "PASS" });
    expect(await events(handle)).toContain("activityTaskCompleted");
  });
});

test("finds a decision whose signal was lost at its next look", async () => {
  const policy = { ...FRAUD_CHECK_POLICY, reviewTimeoutMs: 100, pollMs: 100 };
  const { input, handle } = await startInReview({ policy });
  await decideSilently(input.checkId, "FAIL");
  expect(await handle.result()).toMatchObject({ decision: "FAIL" });
});

test("replays the histories it wrote, so that a worker may be replaced at any time", async () => {
  const { client } = await alone.platform.temporal();
  const bundle = await workflowBundle(BUNDLE);
  let replayed = 0;
  for await (const { workflowId, runId } of client.workflow.list({
    query: "ExecutionStatus != 'Running'",
  })) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
    replayed += 1;
  }
  expect(replayed).toBeGreaterThanOrEqual(10);
});

/** Ends with the activity it is called in. */
function cancelled(): Promise<never> {
  return Context.current().cancelled;
}

/** A worker in a namespace of its own, whose Fraud answers as told. */
async function workerWith(evaluate: FraudActivities["fraud::evaluate"]) {
  const { connection, dataConverter } = await alone.platform.temporal();
  const namespace = await createNamespace();
  const worker = await startWorker({
    connection,
    dataConverter,
    namespace,
    taskQueue: FRAUD_TASK_QUEUE,
    workflowsUrl: BUNDLE,
    activities: { "fraud::evaluate": evaluate },
    log: alone.platform.log,
  });
  return {
    client: new Client({ connection, namespace, dataConverter }),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}

async function markers(handle: Handle): Promise<number> {
  return (await events(handle)).filter((name) => name === "markerRecorded").length;
}
