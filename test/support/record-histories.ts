import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { FraudDecision } from "#gen/fraud/v1/fraud_pb.ts";
import { CaptureMode, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import type { Env } from "#kit/config.ts";
import type { MockBehaviour } from "#services/payment/domain/payment.ts";
import { temporalAddress, toolPath } from "./env.ts";
import { setup } from "./global-setup.ts";
import { type Stack, startStack } from "./stack.ts";
import { waitUntil } from "./wait-until.ts";

/**
 * Records the histories of the payment workflows as they run now: `node test/support/record-histories.ts <version>`
 * writes test/histories/<version>/<story>.json, of all stories or of those named after it: a version needs those whose
 * commands it changed. Run once per shipped version of the workflows, and never again for it.
 * It starts servers of its own, as a test run does.
 */

/** Plays one story and answers the ids of the workflows to record. */
type Story = (stack: Stack) => Promise<readonly string[]>;

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });
const mock = (behaviour: MockBehaviour) => ({
  method: { case: "mock" as const, value: { behaviour, flakyAttempts: 2 } },
});

async function pay(stack: Stack, behaviour: MockBehaviour, extra: object = {}): Promise<string> {
  const { payment } = await stack.payment.create({
    accountId: "alice-checking",
    amount: usd(100n),
    paymentMethod: mock(behaviour),
    ...extra,
  });
  return payment?.paymentId ?? "";
}

/** A payment that ends by itself. */
const ends =
  (behaviour: MockBehaviour, extra: object = {}): Story =>
  async (stack) => {
    const id = await pay(stack, behaviour, extra);
    await settled(stack, id);
    return [`payment-${id}`];
  };

function settled(stack: Stack, id: string): Promise<unknown> {
  return closed(stack, `payment-${id}`);
}

async function closed(stack: Stack, workflowId: string): Promise<void> {
  const { client } = await stack.platform.temporal();
  await waitUntil(
    async () => (await client.workflow.getHandle(workflowId).describe()).status.name !== "RUNNING",
  );
}

async function reaches(stack: Stack, paymentId: string, step: number): Promise<void> {
  await waitUntil(async () => (await stack.payment.getStatus({ paymentId })).step === step);
}

const cancelled: Story = async (stack) => {
  const paymentId = await pay(stack, 10);
  await reaches(stack, paymentId, 6);
  await stack.payment.cancel({ paymentId });
  await settled(stack, paymentId);
  return [`payment-${paymentId}`];
};

const captured: Story = async (stack) => {
  const paymentId = await pay(stack, 1, {
    captureMode: CaptureMode.MANUAL,
    waitUntil: WaitUntil.AUTHORIZED,
  });
  await stack.payment.capture({ paymentId, amount: usd(60n) });
  await settled(stack, paymentId);
  return [`payment-${paymentId}`];
};

const refunded: Story = async (stack) => {
  const paymentId = await pay(stack, 1, { waitUntil: WaitUntil.COMPLETED });
  const { refund } = await stack.payment.refund({ paymentId, amount: usd(40n) });
  const workflowId = `refund-${refund?.refundId}`;
  await closed(stack, workflowId);
  return [workflowId];
};

const reviewed =
  (decision: FraudDecision): Story =>
  async (stack) => {
    const paymentId = await pay(stack, 1, { amount: usd(60_000n) });
    await reaches(stack, paymentId, 4);
    await stack.fraud.submitDecision({
      subject: { case: "paymentId", value: paymentId },
      decision,
    });
    await settled(stack, paymentId);
    return [`payment-${paymentId}`, `fraud-check-${paymentId}`];
  };

/** The undo begins while the child waits for a person. */
const reviewCancelled: Story = async (stack) => {
  const paymentId = await pay(stack, 1, { amount: usd(60_000n) });
  await reaches(stack, paymentId, 4);
  await stack.payment.cancel({ paymentId });
  await settled(stack, paymentId);
  const check = `fraud-check-${paymentId}`;
  await closed(stack, check);
  return [`payment-${paymentId}`, check];
};

/** The hold is captured although nobody decided so, and then the payment is undone. */
const capturedUndone: Story = async (stack) => {
  const paymentId = await pay(stack, 10);
  await reaches(stack, paymentId, 6);
  const holdId = `${paymentId}:hold`;
  await stack.account.captureHold({ holdId, transactionId: `${paymentId}:capture` });
  await stack.payment.cancel({ paymentId });
  await settled(stack, paymentId);
  return [`payment-${paymentId}`];
};

const late: Story = async (stack) => {
  const paymentId = await pay(stack, 8);
  await settled(stack, paymentId);
  const { client } = await stack.platform.temporal();
  const workflowId = `reconcile-${paymentId}`;
  await waitUntil(
    async () =>
      (await client.workflow.getHandle(workflowId).describe()).status.name === "COMPLETED",
  );
  return [`payment-${paymentId}`, workflowId];
};

const SUITES: readonly {
  readonly name: string;
  readonly env: Env;
  readonly stories: Readonly<Record<string, Story>>;
}[] = [
  {
    name: "child",
    env: { SETTLE_FRAUD_MODE: "child", SETTLE_CALLBACK_TIMEOUT: "3s" },
    stories: {
      success: ends(1),
      callback: ends(2),
      flaky: ends(3),
      declined: ends(4),
      hang: ends(5),
      "answer-lost": ends(6),
      "duplicate-callback": ends(7),
      late,
      "no-callback": ends(10),
      "insufficient-funds": ends(1, { accountId: "3" }),
      cancelled,
      captured,
      refunded,
      "review-pass": reviewed(FraudDecision.PASS),
      "review-fail": reviewed(FraudDecision.FAIL),
      "review-cancelled": reviewCancelled,
      "captured-undone": capturedUndone,
    },
  },
  {
    name: "inline",
    env: { SETTLE_FRAUD_MODE: "inline", SETTLE_CALLBACK_TIMEOUT: "3s" },
    stories: {
      success: ends(1),
      callback: ends(2),
      declined: ends(4),
      hang: ends(5),
      cancelled,
      "review-cancelled": reviewCancelled,
    },
  },
  {
    name: "regular",
    env: { SETTLE_STEPS_MODE: "regular", SETTLE_CALLBACK_TIMEOUT: "3s" },
    stories: { success: ends(1), callback: ends(2), declined: ends(4), cancelled },
  },
];

const FAST_GATEWAY: Env = {
  SETTLE_GATEWAY_CALLBACK_DELAY: "300ms",
  SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "4s",
  SETTLE_FRAUD_REVIEW_LIMITS: "USD:50000",
};

/** The history as `temporal workflow show -o json` prints it, which is what the replayer reads. */
async function historyOf(stack: Stack, workflowId: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    toolPath("temporal"),
    [
      ...["workflow", "show", "-o", "json", "--address", temporalAddress()],
      ...["--namespace", stack.namespace, "--workflow-id", workflowId],
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  return `${JSON.stringify(JSON.parse(stdout))}\n`;
}

async function record(version: string, names: readonly string[]): Promise<void> {
  const folder = path.join(import.meta.dirname, "..", "histories", version);
  await mkdir(folder, { recursive: true });
  for (const suite of SUITES) {
    const wanted = Object.entries(suite.stories).filter(
      ([name]) => names.length === 0 || names.includes(`${suite.name}.${name}`),
    );
    if (wanted.length === 0) continue;
    await using stack = await startStack({
      ...FAST_GATEWAY,
      ...suite.env,
      SETTLE_PAYLOAD_KEYS: "none",
    });
    for (const [name, story] of wanted) {
      for (const workflowId of await story(stack)) {
        const kind = workflowId.split("-")[0];
        const file = path.join(folder, `${suite.name}.${name}.${kind}.json`);
        await writeFile(file, await historyOf(stack, workflowId));
        console.log(path.relative(process.cwd(), file));
      }
    }
  }
}

const [version, ...names] = process.argv.slice(2);
if (!version)
  throw new Error("usage: node test/support/record-histories.ts <version> [<suite>.<story> ...]");
const end = await setup();
await record(version, names).finally(end);
process.exit();
