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

function capture(authorizationKey: string, key = "c", minorUnits?: bigint) {
  return gateway.client.capture({
    idempotencyKey: `${authorizationKey}:${key}`,
    authorizationKey,
    ...(minorUnits === undefined ? {} : { amount: usd(minorUnits) }),
  });
}

test("takes all when no amount is named, and a part when one is", async () => {
  await gateway.client.authorize(order("all"));
  expect((await capture("all")).transaction?.capturedAmount).toMatchObject(usd(1250n));
  await gateway.client.authorize(order("part"));
  const { transaction } = await capture("part", "c", 1n);
  expect(transaction).toMatchObject({ state: TransactionState.CAPTURED, capturedAmount: usd(1n) });
});

test("32 calls with 32 keys take the amount once, so that no race charges twice", async () => {
  await gateway.client.authorize(order("race"));
  const amounts = Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 500n : 700n));
  const outcomes = await Promise.allSettled(
    amounts.map((amount, i) => capture("race", `c${i}`, amount)),
  );
  const taken = new Set(
    outcomes.flatMap((outcome) =>
      outcome.status === "fulfilled" ? [outcome.value.transaction?.capturedAmount?.minorUnits] : [],
    ),
  );
  expect(taken.size).toBe(1);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(16);
  const { transaction } = await gateway.client.getTransaction({ authorizationKey: "race" });
  expect([transaction?.capturedAmount?.minorUnits]).toEqual([...taken]);
});

test("under another key answers CAPTURED for the same amount and refuses another", async () => {
  await gateway.client.authorize(order("twice"));
  await capture("twice", "c1", 1000n);
  expect((await capture("twice", "c2", 1000n)).transaction?.state).toBe(TransactionState.CAPTURED);
  expect(await reasonOfCall(capture("twice", "c3", 999n))).toBe("GATEWAY_ALREADY_CAPTURED");
  expect(await reasonOfCall(capture("twice", "c4"))).toBe("GATEWAY_ALREADY_CAPTURED");
});

test("refuses more than was authorised, another currency, and a key used for something else", async () => {
  await gateway.client.authorize(order("refused"));
  expect(await reasonOfCall(capture("refused", "more", 1251n))).toBe("CAPTURE_EXCEEDS_AUTHORIZED");
  const euros = gateway.client.capture({
    idempotencyKey: "refused:eur",
    authorizationKey: "refused",
    amount: { currencyCode: "EUR", minorUnits: 1n },
  });
  expect(await reasonOfCall(euros)).toBe("CURRENCY_MISMATCH");
  await capture("refused", "c", 10n);
  expect(await reasonOfCall(capture("refused", "c", 11n))).toBe("IDEMPOTENCY_KEY_REUSED");
  const asVoid = gateway.client.void({ idempotencyKey: "refused:c", authorizationKey: "refused" });
  expect(await reasonOfCall(asVoid)).toBe("IDEMPOTENCY_KEY_REUSED");
});

test("of a declined or voided authorisation is a definite no", async () => {
  await gateway.client.authorize(order("declined", Behaviour.DECLINE));
  expect(await reasonOfCall(capture("declined"))).toBe("GATEWAY_DECLINED");
  await gateway.client.authorize(order("voided"));
  await gateway.client.void({ idempotencyKey: "voided:v", authorizationKey: "voided" });
  expect(await reasonOfCall(capture("voided"))).toBe("GATEWAY_DECLINED");
});

test("of a pending authorisation can be repeated, and is not held against the key", async () => {
  await gateway.client.authorize(order("pending", Behaviour.CALLBACK));
  expect(await reasonOfCall(capture("pending"))).toBe("GATEWAY_PENDING");
  await gateway.client.void({ idempotencyKey: "pending:v", authorizationKey: "pending" });
  expect(await reasonOfCall(capture("pending"))).toBe("GATEWAY_DECLINED");
});

test("of an authorisation that was never seen makes nothing", async () => {
  expect(await reasonOfCall(capture("unseen"))).toBe("GATEWAY_TRANSACTION_NOT_FOUND");
  const { transaction } = await gateway.client.authorize(order("unseen"));
  expect(transaction?.state).toBe(TransactionState.AUTHORIZED);
  expect((await capture("unseen")).transaction?.state).toBe(TransactionState.CAPTURED);
});
