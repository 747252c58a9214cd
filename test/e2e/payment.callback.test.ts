import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signWebhook } from "#kit/webhook.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { GATEWAY_SECRET, type Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import {
  atProvider,
  Behaviour,
  balanceOf,
  callBack,
  countRows,
  endOf,
  noticesOf,
  openAccount,
  PaymentStatus,
  pay,
  postCallback,
  read,
  startQuickStack,
  until,
} from "./payment.support.ts";

const OTHER_PROVIDERS_SECRET = "a-secret-that-only-another-provider-has";
const SECOND_SECRET = "another-secret-of-more-than-16-characters";

let stack: Stack;
/** Takes ten seconds to come to life, so it begins before everything else. */
let late: Promise<{ accountId: string; paymentId: string }>;
beforeAll(async () => {
  stack = await startQuickStack({
    SETTLE_GATEWAY_SECRETS: `${GATEWAY_SECRET},${SECOND_SECRET},other=${OTHER_PROVIDERS_SECRET}`,
    SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "10s",
    SETTLE_CALLBACK_TIMEOUT: "8s",
  });
  late = openAccount(stack, 100n).then(async (accountId) => ({
    accountId,
    paymentId: await pay(stack, accountId, Behaviour.LATE_CALLBACK),
  }));
  await late;
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

/** A payment that the provider has authorised without telling anybody. */
async function silent(): Promise<{ accountId: string; paymentId: string }> {
  const accountId = await openAccount(stack, 100n);
  const paymentId = await pay(stack, accountId, Behaviour.NO_CALLBACK);
  await waitUntil(async () => (await atProvider(stack, paymentId)) === "AUTHORIZED 0-0");
  await until(stack, paymentId, PaymentStatus.PROCESSING);
  return { accountId, paymentId };
}

function stored(paymentId: string, filter: object = {}): Promise<number> {
  return countRows(stack, "callbacks", { paymentId, ...filter });
}

function allDone(paymentId: string, count: number): Promise<boolean> {
  return waitUntil(async () => (await stored(paymentId, { state: "DONE" })) === count, {
    what: `${count} callbacks to be done`,
  });
}

describe("a callback", () => {
  test("settles the payment that waits for it, signed with any active secret", async () => {
    for (const secret of [GATEWAY_SECRET, SECOND_SECRET]) {
      const { accountId, paymentId } = await silent();
      expect(await callBack(stack, paymentId, { secret })).toBe(200);
      expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
      expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
      await allDone(paymentId, 1);
    }
  });

  test("that declines fails the payment, and what the provider may still hold is voided", async () => {
    const { accountId, paymentId } = await silent();
    expect(await callBack(stack, paymentId, { state: "DECLINED" })).toBe(200);
    expect(await endOf(stack, paymentId)).toBe("FAILED GATEWAY_DECLINED");
    expect((await read(stack, paymentId)).failure?.message).toContain("card_declined");
    expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });

  test("sent five times at once under one event id, and once more under another, counts once", async () => {
    const { accountId, paymentId } = await silent();
    const eventId = `evt_${randomUUID()}`;
    const sent = Array.from({ length: 5 }, () => callBack(stack, paymentId, { eventId }));
    expect(await Promise.all([...sent, callBack(stack, paymentId)])).toEqual(Array(6).fill(200));
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
    await allDone(paymentId, 2);
    expect(await noticesOf(stack, paymentId)).toEqual(["succeeded"]);
  });

  test("that contradicts an earlier one changes nothing: the first answer counts", async () => {
    const { accountId, paymentId } = await silent();
    expect(await callBack(stack, paymentId)).toBe(200);
    expect(await callBack(stack, paymentId, { state: "DECLINED" })).toBe(200);
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    await allDone(paymentId, 2);
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-0");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 0n, held: 0n });
  });

  test("that comes before the payment parks is not lost", async () => {
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId, Behaviour.NO_CALLBACK);
    expect(await callBack(stack, paymentId)).toBe(200);
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    await allDone(paymentId, 1);
  });

  test("with an id of 200 odd characters is done like any other, also for a closed payment", async () => {
    const paymentId = await pay(stack, await openAccount(stack, 100n), Behaviour.LATE_CALLBACK);
    await stack.payment.cancel({ paymentId });
    const eventId = `${"ü / ".repeat(50)}`;
    expect(await callBack(stack, paymentId, { eventId })).toBe(200);
    await allDone(paymentId, 1);
  });
});

describe("a callback is refused", () => {
  test.each([
    ["when it is forged", { secret: "a-secret-that-nobody-ever-agreed-on" }, 401],
    ["when it was signed six minutes ago", { ageSeconds: 360 }, 401],
    ["when it was signed six minutes ahead", { ageSeconds: -360 }, 401],
  ])("%s, and nothing is stored", async (_, parts, status) => {
    const { paymentId } = await silent();
    expect(await callBack(stack, paymentId, parts)).toBe(status);
    expect(await stored(paymentId)).toBe(0);
    expect((await read(stack, paymentId)).status).toBe(PaymentStatus.PROCESSING);
    await stack.payment.cancel({ paymentId });
  });

  test("when it is signed with another provider's secret, on either path", async () => {
    const { paymentId } = await silent();
    expect(await callBack(stack, paymentId, { secret: OTHER_PROVIDERS_SECRET })).toBe(401);
    const [now, body] = [Math.floor(Date.now() / 1000), "{}"];
    const ours = signWebhook(GATEWAY_SECRET, now, body);
    expect(await postCallback(stack, body, ours, "other")).toBe(401);
    const theirs = signWebhook(OTHER_PROVIDERS_SECRET, now, body);
    // Believed, and only then found to be no callback.
    expect(await postCallback(stack, body, theirs, "other")).toBe(400);
    expect(await postCallback(stack, body, theirs, "unknown")).toBe(401);
    expect(await stored(paymentId)).toBe(0);
    await stack.payment.cancel({ paymentId });
  });

  test("when the body was changed after signing, or has no signature", async () => {
    const before = await countRows(stack, "callbacks");
    const now = Math.floor(Date.now() / 1000);
    expect(await postCallback(stack, '{"a":2}', signWebhook(GATEWAY_SECRET, now, '{"a":1}'))).toBe(
      401,
    );
    expect(await postCallback(stack, "{}")).toBe(401);
    expect(await postCallback(stack, "{}", "t=1,v1=zz")).toBe(401);
    expect(await countRows(stack, "callbacks")).toBe(before);
  });

  test.each([
    ["no JSON", "hello"],
    ["a list", "[]"],
    ["nothing in it", "{}"],
    [
      "a float for an amount",
      '{"event_id":"e","merchant":"default","merchant_reference":"p","state":"AUTHORIZED","amount":{"minor_units":1.5}}',
    ],
    [
      "an unknown state",
      '{"event_id":"e","merchant":"default","merchant_reference":"p","state":"MAYBE","amount":{"minor_units":"1"}}',
    ],
  ])("when it is signed, but has %s", async (_, body) => {
    const signature = signWebhook(GATEWAY_SECRET, Math.floor(Date.now() / 1000), body);
    expect(await postCallback(stack, body, signature)).toBe(400);
  });

  test("when it is larger than any callback", async () => {
    const body = JSON.stringify({ event_id: "x".repeat(20_000) });
    const signature = signWebhook(GATEWAY_SECRET, Math.floor(Date.now() / 1000), body);
    expect(await postCallback(stack, body, signature)).toBe(413);
  });
});

describe("a callback is kept without effect", () => {
  test.each([
    ["of another amount", { minorUnits: "99" }],
    ["of another currency", { currencyCode: "EUR" }],
  ])("%s, and a person is told", async (_, parts) => {
    const { accountId, paymentId } = await silent();
    expect(await callBack(stack, paymentId, parts)).toBe(200);
    expect(await stored(paymentId, { ignored: "AMOUNT_MISMATCH", state: "DONE" })).toBe(1);
    expect(await countRows(stack, "tasks", { paymentId, kind: "CALLBACK_MISMATCH" })).toBe(1);
    expect((await read(stack, paymentId)).status).toBe(PaymentStatus.PROCESSING);
    await stack.payment.cancel({ paymentId });
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });

  test("for a payment that is not there", async () => {
    const paymentId = `nobody-${randomUUID()}`;
    expect(await callBack(stack, paymentId)).toBe(200);
    expect(await stored(paymentId, { ignored: "UNKNOWN_PAYMENT", state: "DONE" })).toBe(1);
  });
});

describe("a callback for a closed payment", () => {
  test("asks the provider and is done, without changing the payment", async () => {
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId);
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    const before = await read(stack, paymentId);
    expect(await callBack(stack, paymentId, { state: "DECLINED" })).toBe(200);
    expect(await callBack(stack, paymentId)).toBe(200);
    await allDone(paymentId, 2);
    expect(await read(stack, paymentId)).toEqual(before);
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-0");
  });

  test("that brings a late authorisation to light voids it", async () => {
    const { accountId, paymentId } = await late;
    expect(await endOf(stack, paymentId)).toBe("FAILED GATEWAY_TIMEOUT");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
    await allDone(paymentId, 1);
    expect(await atProvider(stack, paymentId)).toBe("VOIDED 0-0");
    expect(await noticesOf(stack, paymentId)).toEqual(["failed"]);
  });

  test("that was captured at the provider after its end is given back there", async () => {
    await restartGateway({
      SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "2s",
      // Nobody listens there: the callback must not come before the capture.
      SETTLE_GATEWAY_CALLBACK_URL: "http://127.0.0.1:1/",
    });
    const accountId = await openAccount(stack, 100n);
    const paymentId = await pay(stack, accountId, Behaviour.LATE_CALLBACK);
    await stack.payment.cancel({ paymentId });
    await waitUntil(async () => {
      const idempotencyKey = `${paymentId}:hand-${randomUUID()}`;
      await stack.gateway.capture({ idempotencyKey, authorizationKey: `${paymentId}:authorize` });
      return true;
    });
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-0");
    await restartGateway({});
    await allDone(paymentId, 1);
    expect(await atProvider(stack, paymentId)).toBe("CAPTURED 100-100");
    expect(await balanceOf(stack, accountId)).toEqual({ balance: 100n, held: 0n });
  });
});

async function restartGateway(env: Readonly<Record<string, string>>): Promise<void> {
  await stack.stop("gateway");
  await stack.start("gateway", env);
}
