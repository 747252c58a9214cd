import { randomUUID } from "node:crypto";
import { defaultPayloadConverter } from "@temporalio/common";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  Behaviour,
  balanceOf,
  endOf,
  openAccount,
  PaymentStatus,
  pay,
  startQuickStack,
  until,
} from "./payment.support.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startQuickStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Payloads that no worker of ours can decode, as a stranger or a tool with another key sends them. */
const GARBAGE = {
  "of another codec": { encoding: "binary/encrypted", data: "\u0000\u0001\u0002" },
  "that is no JSON": { encoding: "json/plain", data: '{"requestId": ' },
  "without an encoding": { encoding: "", data: "hello" },
} as const;

function payloads({ encoding, data }: (typeof GARBAGE)[keyof typeof GARBAGE]) {
  const metadata = encoding === "" ? {} : { encoding: Buffer.from(encoding) };
  return { payloads: [{ metadata, data: Buffer.from(data) }] };
}

async function service() {
  return (await stack.platform.temporal()).client.workflowService;
}

async function signal(workflowId: string, signalName: string, input: object): Promise<void> {
  await (await service()).signalWorkflowExecution({
    namespace: stack.namespace,
    workflowExecution: { workflowId },
    signalName,
    input,
    requestId: randomUUID(),
  });
}

/** The outcome's reason, or `accepted`. */
async function update(workflowId: string, name: string, args: object): Promise<string> {
  const { outcome } = await (await service()).updateWorkflowExecution({
    namespace: stack.namespace,
    workflowExecution: { workflowId },
    request: { meta: { updateId: randomUUID() }, input: { name, args } },
    waitPolicy: { lifecycleStage: 3 },
  });
  return outcome?.failure?.applicationFailureInfo?.type ?? "accepted";
}

async function dropped(kind: string): Promise<number> {
  const text = await (await fetch(`http://${stack.addresses.payment}/metrics`)).text();
  const line = new RegExp(`^settle_workflow_messages_dropped_total{kind="${kind}"} (\\d+)$`, "m");
  return Number(line.exec(text)?.[1] ?? 0);
}

async function authorized() {
  const accountId = await openAccount(stack, 100n);
  const changes = { captureMode: CaptureMode.MANUAL };
  const paymentId = await pay(stack, accountId, Behaviour.OK, changes);
  await until(stack, paymentId, PaymentStatus.REQUIRES_CAPTURE);
  return { accountId, paymentId, workflowId: `payment-${paymentId}` };
}

describe.each(Object.entries(GARBAGE))("a payload %s", (_, garbage) => {
  test("in a signal is dropped and counted, and Capture still settles", async () => {
    const { accountId, paymentId, workflowId } = await authorized();
    const before = await dropped("signal");
    for (const name of ["cancel-payment", "gateway-callback", "fraud-review", "nobody-knows-me"])
      await signal(workflowId, name, payloads(garbage));
    await waitUntil(async () => (await dropped("signal")) === before + 3);
    await stack.payment.capture({ paymentId });
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
  });

  test("in an update is refused, one in a query too, and Cancel still undoes", async () => {
    const { accountId, paymentId, workflowId } = await authorized();
    expect(await update(workflowId, "cancel", payloads(garbage))).toBe("INVALID_FIELD");
    expect(await update(workflowId, "capture", payloads(garbage))).toBe("INVALID_FIELD");
    const query = (await service()).queryWorkflow({
      namespace: stack.namespace,
      execution: { workflowId },
      query: { queryType: "status", queryArgs: payloads(garbage) },
    });
    // Its text is encrypted like any other failure's.
    await expect(query).rejects.toThrow("Encoded failure");
    await stack.payment.cancel({ paymentId });
    expect(await endOf(stack, paymentId)).toBe("CANCELLED CANCELLED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });
});

test("a payload that can be decoded is still taken", async () => {
  const { paymentId, workflowId } = await authorized();
  const payload = defaultPayloadConverter.toPayload({ requestId: "by hand" });
  await signal(workflowId, "cancel-payment", { payloads: [payload] });
  expect(await endOf(stack, paymentId)).toBe("CANCELLED CANCELLED");
});
