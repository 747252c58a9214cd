import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createSettleClient,
  isReason,
  PaymentStatus,
  type Protocol,
  SERVICES,
  type SettleClient,
  WaitUntil,
} from "#client/index.ts";
import { readContract } from "#tools/docs/api/image.ts";
import { type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

/** A client that reaches every service of the stack. */
function clientOf(protocol: Protocol): SettleClient {
  const addresses = Object.entries(stack.addresses);
  return createSettleClient({
    baseUrl: `http://${stack.addresses.payment}`,
    services: Object.fromEntries(addresses.map(([name, address]) => [name, `http://${address}`])),
    protocol,
  });
}

const amount = { currencyCode: "USD", minorUnits: 25n };

describe.each(["grpc", "connect", "grpc-web"] as const)("settle/client over %s", (protocol) => {
  test("takes a payment, watches it to its end and gives it back", async () => {
    using settle = clientOf(protocol);
    const { payment } = await settle.payment.create({ accountId: "1", amount });
    const paymentId = payment?.paymentId ?? "";
    const seen: PaymentStatus[] = [];
    for await (const { status } of settle.watchPayment(paymentId)) seen.push(status);
    expect(seen.at(-1)).toBe(PaymentStatus.SUCCEEDED);
    const { refund } = await settle.payment.refund({ paymentId });
    expect(refund?.amount?.minorUnits).toBe(25n);
    expect((await settle.account.getAccount({ accountId: "1" })).account?.currencyCode).toBe("USD");
  });

  test("tells a refusal by its reason, with the fields that are wrong", async () => {
    using settle = clientOf(protocol);
    const missing = await settle.payment
      .get({ paymentId: "none" })
      .catch((error: unknown) => error);
    expect(isReason(missing, "PAYMENT_NOT_FOUND")).toBe(true);
    const wrong = settle.payment.get({ paymentId: "" });
    await expect(wrong).rejects.toMatchObject({
      reason: "INVALID_FIELD",
      fields: [{ field: "payment_id" }],
    });
    const watch = settle.watchPayment("none").next();
    await expect(watch).rejects.toMatchObject({ reason: "PAYMENT_NOT_FOUND" });
  });
});

test("calls and watches outlast a restart of the service", async () => {
  using settle = clientOf("grpc");
  const held = await settle.payment.create({
    accountId: "1",
    amount,
    captureMode: 2,
    waitUntil: WaitUntil.AUTHORIZED,
  });
  const paymentId = held.payment?.paymentId ?? "";
  const watch = settle.watchPayment(paymentId);
  expect((await watch.next()).value?.paymentId).toBe(paymentId);
  await stack.stop("payment");
  // Nobody is there now: the call waits for the service that comes back.
  const captured = settle.payment.capture({ paymentId });
  await stack.start("payment");
  expect((await captured).payment?.paymentId).toBe(paymentId);
  let last: PaymentStatus | undefined;
  for await (const { status } of watch) last = status;
  expect(last).toBe(PaymentStatus.SUCCEEDED);
});

test("has every service of the contract", async () => {
  const files = await readContract();
  const names = files.flatMap((file) => file.services).map(({ typeName }) => typeName);
  expect(
    Object.values(SERVICES)
      .map(({ typeName }) => typeName)
      .sort(),
  ).toEqual(names.sort());
});
