import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Transaction, TransactionState } from "#gen/gateway/v1/gateway_pb.ts";
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
  gateway = await startGateway(prefix);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await dropBook(prefix);
});

const state = (answer: { transaction?: Transaction | undefined }) => answer.transaction?.state;

test("OK authorises in the answer and says what was asked for", async () => {
  const { transaction } = await gateway.client.authorize(order("ok"));
  expect(transaction).toMatchObject({
    authorizationKey: "ok",
    merchantReference: "payment-of-ok",
    state: TransactionState.AUTHORIZED,
    amount: usd(1250n),
    capturedAmount: usd(0n),
    refundedAmount: usd(0n),
    declineReason: "",
  });
  expect(transaction?.gatewayReference).toMatch(/^gw_/);
});

test("32 calls with one key make one transaction, so that a payer is asked once", async () => {
  const calls = Array.from({ length: 32 }, () => gateway.client.authorize(order("many")));
  const answers = await Promise.all(calls);
  const references = new Set(answers.map(({ transaction }) => transaction?.gatewayReference));
  expect(references.size).toBe(1);
  expect(answers.every((answer) => state(answer) === TransactionState.AUTHORIZED)).toBe(true);
});

test("a repeat answers the present state and not the first answer, so that the caller learns the truth", async () => {
  await gateway.client.authorize(order("present"));
  await gateway.client.capture({ idempotencyKey: "present:c", authorizationKey: "present" });
  const repeat = await gateway.client.authorize(order("present"));
  expect(state(repeat)).toBe(TransactionState.CAPTURED);
});

test.each([
  ["another amount", { amount: usd(1251n) }],
  ["another currency", { amount: { currencyCode: "EUR", minorUnits: 1250n } }],
  ["another reference", { merchantReference: "another" }],
])(
  "refuses a used key with %s, so that no authorisation is mistaken for another",
  async (_, other) => {
    await gateway.client.authorize(order("reused"));
    const call = gateway.client.authorize({ ...order("reused"), ...other });
    expect(await reasonOfCall(call)).toBe("IDEMPOTENCY_KEY_REUSED");
  },
);

test("DECLINE says no in the answer, with the reason, and stays so", async () => {
  for (let times = 0; times < 2; times += 1) {
    const { transaction } = await gateway.client.authorize(order("no", Behaviour.DECLINE));
    expect(transaction?.state).toBe(TransactionState.DECLINED);
    expect(transaction?.declineReason).toBe("card_declined");
  }
});

test("a card token decides by its name, so that declines can be tried without the mock's behaviours", async () => {
  const card = (key: string, token: string) => ({
    ...order(key),
    paymentMethod: { method: { case: "cardToken" as const, value: { token } } },
  });
  expect(state(await gateway.client.authorize(card("card", "tok_visa")))).toBe(
    TransactionState.AUTHORIZED,
  );
  const declined = await gateway.client.authorize(card("card-no", "tok_decline_expired_card"));
  expect(state(declined)).toBe(TransactionState.DECLINED);
  expect(declined.transaction?.declineReason).toBe("expired_card");
});

test("FLAKY(3) fails three attempts of a key and answers the fourth, so that retries are exercised", async () => {
  const flaky = (key: string) => gateway.client.authorize(order(key, Behaviour.FLAKY, 3));
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    expect(await reasonOfCall(flaky("flaky"))).toBe("GATEWAY_UNAVAILABLE");
  }
  expect(await reasonOfCall(flaky("flaky-other"))).toBe("GATEWAY_UNAVAILABLE");
  expect(state(await flaky("flaky"))).toBe(TransactionState.AUTHORIZED);
});

test("FLAKY counts attempts that race each other one by one, and across a restart", async () => {
  const flaky = () => gateway.client.authorize(order("flaky-race", Behaviour.FLAKY, 9));
  const first = await Promise.allSettled(Array.from({ length: 8 }, flaky));
  expect(first.every(({ status }) => status === "rejected")).toBe(true);
  await using restarted = await startGateway(prefix);
  const again = () => restarted.client.authorize(order("flaky-race", Behaviour.FLAKY, 9));
  expect(await reasonOfCall(again())).toBe("GATEWAY_UNAVAILABLE");
  expect(state(await again())).toBe(TransactionState.AUTHORIZED);
});

test("HANG never answers and never takes effect, so that the caller's deadline is what ends it", async () => {
  const call = gateway.client.authorize(order("hang", Behaviour.HANG), { timeoutMs: 200 });
  const error = await call.catch((reason: unknown) => reason);
  expect(ConnectError.from(error).code).toBe(Code.DeadlineExceeded);
  const read = gateway.client.getTransaction({ authorizationKey: "hang" });
  expect(await reasonOfCall(read)).toBe("GATEWAY_TRANSACTION_NOT_FOUND");
});

test("a hanging call ends when the gateway stops, so that it does not hold up the stop", async () => {
  const other = await startGateway(prefix);
  const call = other.client.authorize(order("hang-stop", Behaviour.HANG));
  const ended = call.then(
    () => "answered",
    () => "refused",
  );
  await other.client.getTransaction({ authorizationKey: "nothing" }).catch(() => undefined);
  await other[Symbol.asyncDispose]();
  expect(await ended).toBe("refused");
});

test("APPLY_THEN_DROP takes effect and loses the first answer to every operation, not the second", async () => {
  const { client } = gateway;
  const dropped = () => client.authorize(order("drop", Behaviour.APPLY_THEN_DROP));
  const read = async () => state(await client.getTransaction({ authorizationKey: "drop" }));
  expect(await reasonOfCall(dropped())).toBe("GATEWAY_UNAVAILABLE");
  expect(await read()).toBe(TransactionState.AUTHORIZED);
  expect(state(await dropped())).toBe(TransactionState.AUTHORIZED);

  const capture = () => client.capture({ idempotencyKey: "drop:c", authorizationKey: "drop" });
  expect(await reasonOfCall(capture())).toBe("GATEWAY_UNAVAILABLE");
  expect(await read()).toBe(TransactionState.CAPTURED);
  expect(state(await capture())).toBe(TransactionState.CAPTURED);

  const refund = () =>
    client.refund({ idempotencyKey: "drop:r", authorizationKey: "drop", amount: usd(200n) });
  expect(await reasonOfCall(refund())).toBe("GATEWAY_UNAVAILABLE");
  expect((await refund()).transaction?.refundedAmount).toMatchObject(usd(200n));

  const giveUp = () => client.void({ idempotencyKey: "drop:v", authorizationKey: "drop" });
  expect(await reasonOfCall(giveUp())).toBe("GATEWAY_UNAVAILABLE");
  expect(state(await giveUp())).toBe(TransactionState.CAPTURED);
});

test("the configured behaviour is for requests that leave it open, and only for those", async () => {
  await using declining = await startGateway(prefix, { SETTLE_GATEWAY_BEHAVIOUR: "DECLINE" });
  const { paymentMethod: _, ...absent } = order("absent");
  const unspecified = order("unspecified", Behaviour.UNSPECIFIED);
  const chosen = order("chosen", Behaviour.OK);
  const states = [];
  for (const request of [absent, unspecified, chosen]) {
    states.push(state(await declining.client.authorize(request)));
  }
  const { DECLINED, AUTHORIZED } = TransactionState;
  expect(states).toEqual([DECLINED, DECLINED, AUTHORIZED]);
});
