import { afterAll, beforeAll, expect, test } from "vitest";
import { TransactionState } from "#gen/gateway/v1/gateway_pb.ts";
import { freshPrefix } from "#test/support/env.ts";
import {
  Behaviour,
  dropBook,
  order,
  type RunningGateway,
  reasonOfCall,
  startGateway,
  usd,
} from "./gateway.support.ts";

const prefix = freshPrefix();
let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await startGateway(prefix, { SETTLE_GATEWAY_CALLBACK_DELAY: "1h" });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await dropBook(prefix);
});

async function voided(authorizationKey: string, key = "v") {
  const idempotencyKey = `${authorizationKey}:${key}`;
  return (await gateway.client.void({ idempotencyKey, authorizationKey })).transaction;
}

test.each([
  ["authorised", Behaviour.OK],
  ["pending", Behaviour.CALLBACK],
])("gives up an authorisation that is %s, also when repeated", async (name, behaviour) => {
  await gateway.client.authorize(order(name, behaviour));
  expect((await voided(name))?.state).toBe(TransactionState.VOIDED);
  expect((await voided(name))?.state).toBe(TransactionState.VOIDED);
  expect((await voided(name, "other"))?.state).toBe(TransactionState.VOIDED);
});

test("leaves a declined authorisation declined, which is as good as void", async () => {
  await gateway.client.authorize(order("declined", Behaviour.DECLINE));
  expect((await voided("declined"))?.state).toBe(TransactionState.DECLINED);
});

test("answers CAPTURED without any effect, so that the caller knows it has to refund", async () => {
  await gateway.client.authorize(order("captured"));
  await gateway.client.capture({ idempotencyKey: "captured:c", authorizationKey: "captured" });
  const transaction = await voided("captured");
  expect(transaction?.state).toBe(TransactionState.CAPTURED);
  expect(transaction?.capturedAmount).toMatchObject(usd(1250n));
});

test("of an unseen key leaves a tombstone, so that the authorisation can never take effect afterwards", async () => {
  const tombstone = await voided("unseen");
  expect(tombstone).toMatchObject({ state: TransactionState.VOIDED, merchantReference: "" });
  for (const behaviour of [Behaviour.OK, Behaviour.LATE_CALLBACK, Behaviour.HANG]) {
    const { transaction } = await gateway.client.authorize(order("unseen", behaviour));
    expect(transaction).toMatchObject({ state: TransactionState.VOIDED, amount: usd(1250n) });
    expect(transaction?.gatewayReference).toBe(tombstone?.gatewayReference);
  }
  const other = gateway.client.authorize({ ...order("unseen"), amount: usd(1n) });
  expect(await reasonOfCall(other)).toBe("IDEMPOTENCY_KEY_REUSED");
  const capture = { idempotencyKey: "unseen:c", authorizationKey: "unseen" };
  expect(await reasonOfCall(gateway.client.capture(capture))).toBe("GATEWAY_DECLINED");
});

test("racing its own Authorize ends VOIDED whoever is first, so that an undo never leaves money taken", async () => {
  const keys = Array.from({ length: 32 }, (_, i) => `race-${i}`);
  await Promise.all(
    keys.flatMap((key) => [gateway.client.authorize(order(key)), voided(key), voided(key)]),
  );
  for (const authorizationKey of keys) {
    const { transaction } = await gateway.client.getTransaction({ authorizationKey });
    expect(transaction).toMatchObject({ state: TransactionState.VOIDED, amount: usd(1250n) });
  }
});

test("racing a Capture has one winner whom both answers agree on", async () => {
  const keys = Array.from({ length: 32 }, (_, i) => `duel-${i}`);
  await Promise.all(keys.map((key) => gateway.client.authorize(order(key))));
  for (const key of keys) {
    const capture = gateway.client.capture({ idempotencyKey: `${key}:c`, authorizationKey: key });
    const [captured, gone] = await Promise.all([
      capture.then(
        () => true,
        async () => (await reasonOfCall(capture)) !== "GATEWAY_DECLINED",
      ),
      voided(key),
    ]);
    expect(gone?.state).toBe(captured ? TransactionState.CAPTURED : TransactionState.VOIDED);
  }
});
