import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  atProvider,
  Behaviour,
  callBack,
  endOf,
  openAccount,
  PaymentStatus,
  pay,
  startQuickStack,
  until,
} from "./payment.support.ts";

const PAYMENTS = 5;

/**
 * The fewest events of five payments: a slow machine may add a workflow task to one of them, or let a local step fall
 * back to a task queue, but not to all.
 */
async function fewestEvents(fraudMode: string, behaviour: Behaviour): Promise<number> {
  await using stack = await startQuickStack({ SETTLE_FRAUD_MODE: fraudMode });
  const { client } = await stack.platform.temporal();
  const accountId = await openAccount(stack, 1_000n);
  const lengths: number[] = [];
  for (let count = 0; count < PAYMENTS; count += 1) {
    const paymentId = await pay(stack, accountId, behaviour);
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    const handle = client.workflow.getHandle(`payment-${paymentId}`);
    await handle.result();
    const { events } = await handle.fetchHistory();
    lengths.push(events?.length ?? Number.POSITIVE_INFINITY);
  }
  return Math.min(...lengths);
}

// What a payment costs Temporal is the number of its events: each one more is a write on the hot path.
test.each([
  ["inline", Behaviour.OK, 11],
  ["inline", Behaviour.CALLBACK, 17],
  ["child", Behaviour.CALLBACK, 26],
] as const)(
  "a successful payment with fraud %s and behaviour %i fits %i events of history",
  async (fraudMode, behaviour, most) => {
    expect(await fewestEvents(fraudMode, behaviour)).toBeLessThanOrEqual(most);
  },
);

test("a callback is told to the workflow once, however often the provider repeats it and the sweeper looks", async () => {
  // The sweeper stays away: only the callback endpoint speaks here.
  await using stack = await startQuickStack({ SETTLE_SWEEP_AFTER: "1h" });
  const accountId = await openAccount(stack, 100n);
  const captureMode = CaptureMode.MANUAL;
  const paymentId = await pay(stack, accountId, Behaviour.NO_CALLBACK, { captureMode });
  await waitUntil(async () => (await atProvider(stack, paymentId)) === "AUTHORIZED 0-0");
  const eventId = `evt_${randomUUID()}`;
  for (let time = 0; time < 3; time += 1) {
    expect(await callBack(stack, paymentId, { eventId })).toBe(200);
    await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
  }
  // Nor by any number of sweeps while it waits.
  for (let time = 0; time < 3; time += 1) await stack.payment.recover({});
  const { client } = await stack.platform.temporal();
  const { events } = await client.workflow.getHandle(`payment-${paymentId}`).fetchHistory();
  const signals = events?.filter((event) => event.workflowExecutionSignaledEventAttributes);
  expect(
    signals?.map((event) => event.workflowExecutionSignaledEventAttributes?.signalName),
  ).toEqual(["gateway-callback"]);
  await stack.payment.cancel({ paymentId });
});
