import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { TransactionState } from "#gen/gateway/v1/gateway_pb.ts";
import { verifyWebhook } from "#kit/webhook.ts";
import {
  type Arrival,
  Behaviour,
  dropBook,
  type Merchant,
  order,
  ownBook,
  type RunningGateway,
  SECRET,
  startGateway,
  startMerchant,
} from "#test/e2e/gateway.support.ts";
import { freshPrefix } from "#test/support/env.ts";

const prefix = freshPrefix();
let merchant: Merchant;
let gateway: RunningGateway;
beforeAll(async () => {
  merchant = await startMerchant();
  gateway = await start();
});
beforeEach(() => {
  merchant.answer = () => 200;
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await merchant[Symbol.asyncDispose]();
  await dropBook(prefix);
});

function start(env: Record<string, string> = {}): Promise<RunningGateway> {
  return startGateway(prefix, { SETTLE_GATEWAY_CALLBACK_URL: merchant.url, ...env });
}

async function authorize(key: string, behaviour: Behaviour): Promise<TransactionState | undefined> {
  return (await gateway.client.authorize(order(key, behaviour))).transaction?.state;
}

async function stateOf(authorizationKey: string): Promise<TransactionState | undefined> {
  return (await gateway.client.getTransaction({ authorizationKey })).transaction?.state;
}

function arrived(key: string, count: number): Promise<boolean> {
  return vi.waitUntil(() => merchant.of(key).length >= count, 20_000);
}

function verdict({ headers, rawBody }: Arrival): string {
  const header = headers["signature"];
  return verifyWebhook({
    secrets: [SECRET],
    header: Array.isArray(header) ? header[0] : header,
    rawBody,
    nowMs: Date.now(),
  });
}

/** Sends another callback and waits for it: what was due before it has been sent by then, or never will be. */
async function settled(key: string): Promise<void> {
  await authorize(`${key}-marker`, Behaviour.CALLBACK);
  await arrived(`${key}-marker`, 1);
}

test("CALLBACK answers PENDING, then authorises and tells so, signed", async () => {
  expect(await authorize("callback", Behaviour.CALLBACK)).toBe(TransactionState.PENDING);
  await arrived("callback", 1);
  const [arrival] = merchant.of("callback");
  const { transaction } = await gateway.client.getTransaction({ authorizationKey: "callback" });
  expect(transaction?.state).toBe(TransactionState.AUTHORIZED);
  expect(arrival && verdict(arrival)).toBe("ok");
  expect(arrival?.body).toEqual({
    event_id: expect.stringMatching(/^evt_/),
    type: "authorization.succeeded",
    merchant: "default",
    authorization_key: "callback",
    gateway_reference: transaction?.gatewayReference,
    merchant_reference: "payment-of-callback",
    state: "AUTHORIZED",
    amount: { currency_code: "USD", minor_units: "1250" },
    decline_reason: "",
    occurred_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
});

test("a callback is sent again until it is answered 200, each time as the same event", async () => {
  const statuses = [500, 401, 200];
  merchant.answer = (body) =>
    body.authorization_key === "again" ? (statuses.shift() ?? 500) : 200;
  await authorize("again", Behaviour.CALLBACK);
  await arrived("again", 3);
  await settled("again");
  const arrivals = merchant.of("again");
  expect(arrivals.map(({ status }) => status)).toEqual([500, 401, 200]);
  expect(new Set(arrivals.map(({ rawBody }) => rawBody.toString())).size).toBe(1);
  expect(arrivals.map(verdict)).toEqual(["ok", "ok", "ok"]);
});

test("a callback that is refused does not hold up others", async () => {
  merchant.answer = (body) => (body.authorization_key === "stuck" ? 500 : 200);
  await authorize("stuck", Behaviour.CALLBACK);
  await arrived("stuck", 1);
  await settled("stuck");
});

test("DUPLICATE_CALLBACK sends one event twice and once more under a second id", async () => {
  await authorize("twice", Behaviour.DUPLICATE_CALLBACK);
  await arrived("twice", 3);
  const ids = merchant.of("twice").map(({ body }) => body.event_id);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[2]).not.toBe(ids[0]);
  expect(merchant.of("twice").map(verdict)).toEqual(["ok", "ok", "ok"]);
});

test("FORGED_CALLBACK sends a lie with a wrong signature first, then the truth", async () => {
  merchant.answer = (body) => (body.type === "authorization.declined" ? 401 : 200);
  await authorize("forged", Behaviour.FORGED_CALLBACK);
  await arrived("forged", 2);
  await settled("forged");
  const arrivals = merchant.of("forged");
  expect(arrivals.map(verdict)).toEqual(["forged", "ok"]);
  expect(arrivals.map(({ body }) => body.type)).toEqual([
    "authorization.declined",
    "authorization.succeeded",
  ]);
  expect(arrivals[0]?.body.event_id).not.toBe(arrivals[1]?.body.event_id);
});

test("NO_CALLBACK takes effect after the delay and never tells, so that the merchant has to ask", async () => {
  expect(await authorize("silent", Behaviour.NO_CALLBACK)).toBe(TransactionState.PENDING);
  await vi.waitUntil(async () => (await stateOf("silent")) === TransactionState.AUTHORIZED, 20_000);
  await settled("silent");
  expect(merchant.of("silent")).toEqual([]);
});

test("a pending authorisation that was voided takes no effect and tells nothing", async () => {
  await authorize("undone", Behaviour.CALLBACK);
  await gateway.client.void({ idempotencyKey: "undone:v", authorizationKey: "undone" });
  await settled("undone");
  expect(await stateOf("undone")).toBe(TransactionState.VOIDED);
  expect(merchant.of("undone")).toEqual([]);
});

test("LATE_CALLBACK takes effect though it was voided in between, and a void with a new key ends it for good", async () => {
  await authorize("late", Behaviour.LATE_CALLBACK);
  const giveUp = async (key: string) => {
    const call = { idempotencyKey: `late:${key}`, authorizationKey: "late" };
    return (await gateway.client.void(call)).transaction?.state;
  };
  expect(await giveUp("v1")).toBe(TransactionState.VOIDED);
  await arrived("late", 1);
  expect(await stateOf("late")).toBe(TransactionState.AUTHORIZED);
  // The first void has had its effect: its repeat only tells how things are.
  expect(await giveUp("v1")).toBe(TransactionState.AUTHORIZED);
  expect(await giveUp("v2")).toBe(TransactionState.VOIDED);
  await settled("late");
  expect(await stateOf("late")).toBe(TransactionState.VOIDED);
  expect(merchant.of("late")).toHaveLength(1);
});

test("a capture refused while voided stays refused when the late authorisation comes, so that nobody is charged after a no", async () => {
  await authorize("late-capture", Behaviour.LATE_CALLBACK);
  await gateway.client.void({ idempotencyKey: "lc:v", authorizationKey: "late-capture" });
  const capture = () =>
    gateway.client.capture({ idempotencyKey: "lc:c", authorizationKey: "late-capture" });
  await expect(capture()).rejects.toThrow();
  await arrived("late-capture", 1);
  await expect(capture()).rejects.toThrow();
  expect(await stateOf("late-capture")).toBe(TransactionState.AUTHORIZED);
});

test("a repeated Authorize plans no second callback", async () => {
  await Promise.all(Array.from({ length: 8 }, () => authorize("planned", Behaviour.CALLBACK)));
  await arrived("planned", 1);
  await settled("planned");
  expect(merchant.of("planned")).toHaveLength(1);
});

test("what is due survives a restart: the authorisation takes effect and its callback arrives", async () => {
  await using own = ownBook();
  const env = { SETTLE_GATEWAY_CALLBACK_URL: merchant.url, SETTLE_GATEWAY_CALLBACK_DELAY: "700ms" };
  {
    await using first = await startGateway(own.prefix, env);
    await first.client.authorize(order("restart", Behaviour.CALLBACK));
  }
  expect(merchant.of("restart")).toEqual([]);
  await using second = await startGateway(own.prefix, env);
  await arrived("restart", 1);
  expect(merchant.of("restart").map(verdict)).toEqual(["ok"]);
  const { transaction } = await second.client.getTransaction({ authorizationKey: "restart" });
  expect(transaction?.state).toBe(TransactionState.AUTHORIZED);
});

test("a merchant that was away gets its callback when it is back", async () => {
  await using own = ownBook();
  const away = await startMerchant();
  const { url } = away;
  await away[Symbol.asyncDispose]();
  {
    await using down = await startGateway(own.prefix, { SETTLE_GATEWAY_CALLBACK_URL: url });
    await down.client.authorize(order("away", Behaviour.CALLBACK));
    await vi.waitUntil(async () => {
      const { transaction } = await down.client.getTransaction({ authorizationKey: "away" });
      return transaction?.state === TransactionState.AUTHORIZED;
    }, 20_000);
  }
  await using _back = await startGateway(own.prefix, { SETTLE_GATEWAY_CALLBACK_URL: merchant.url });
  await arrived("away", 1);
});

test("two gateways on one book send each callback once", async () => {
  await using _second = await start();
  const keys = Array.from({ length: 30 }, (_, i) => `shared-${i}`);
  await Promise.all(keys.map((key) => authorize(key, Behaviour.CALLBACK)));
  await Promise.all(keys.map((key) => arrived(key, 1)));
  await settled("shared");
  for (const key of keys) expect(merchant.of(key)).toHaveLength(1);
});
