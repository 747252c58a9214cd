import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { closePeers } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { startFaultyStack } from "#test/support/faulty-stack.ts";
import type { Stack } from "#test/support/stack.ts";
import { PATIENT_STEPS, STOPS, type Stopped, stopAll } from "#test/workflow/payment/step-matrix.ts";
import { expectEnd, rowOf } from "#test/workflow/payment/story.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

describe.each(["local-first", "regular"])("a workflow in steps mode %s", (mode) => {
  let stack: Stack;
  const stories = new Map<string, Stopped>();
  const lostRuns = new Map<string, string>();

  beforeAll(async () => {
    stack = await startFaultyStack({ ...PATIENT_STEPS, SETTLE_STEPS_MODE: mode });
    const { client } = await stack.platform.temporal();
    for (const story of await stopAll(stack)) {
      const handle = client.workflow.getHandle(`payment-${story.paymentId}`);
      const [{ final }, { runId }] = await Promise.all([rowOf(stack, story), handle.describe()]);
      await handle.terminate("operator");
      stories.set(story.accountId, story);
      if (!final) lostRuns.set(story.accountId, runId);
    }
    for (const { pause } of stories.values()) pause.release();
    await stack.payment.recover({});
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    closePeers();
  });

  test.each(STOPS)(
    "that an operator terminates $where $step ($accountId) is swept to the end it would have had",
    async ({ accountId, end }) => {
      const story = stories.get(accountId);
      if (!story) throw new Error(`no story ${accountId}`);
      await expectEnd(stack, story, end);
      const { client } = await stack.platform.temporal();
      const { runId } = await client.workflow.getHandle(`payment-${story.paymentId}`).describe();
      expect(runId).not.toBe(lostRuns.get(accountId));
    },
  );

  test("leaves books that balance", async () => {
    await expectBooksBalance(stack);
  });
});
