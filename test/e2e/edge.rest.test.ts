import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Stack, startStack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly json: {
    readonly paymentId?: string;
    readonly orderId?: string;
    readonly workflowId?: string;
    readonly status?: string;
    readonly view?: string;
    readonly payment?: {
      readonly paymentId: string;
      readonly status: string;
      readonly amount: object;
    };
    readonly check?: { readonly decision: string };
    readonly error?: {
      readonly status: string;
      readonly message: string;
      readonly details: readonly object[];
    };
  };
}

async function send(line: string, body?: object): Promise<Answer> {
  const [method = "", path = ""] = line.split(" ");
  const response = await fetch(`http://${stack.addresses.edge}${path}`, {
    method,
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  // JSON enters here; the shape is the contract's.
  return { status: response.status, json: (await response.json()) as Answer["json"] };
}

describe("POST /payment", () => {
  test("takes the Create message, and GET /payment/{id}/status knows it by payment and by workflow id", async () => {
    const { status, json } = await send("POST /payment", {
      account_id: "1",
      amount: { currency_code: "USD", minor_units: 25 },
      wait_until: "WAIT_UNTIL_COMPLETED",
    });
    expect(status).toBe(200);
    expect(json.payment).toMatchObject({
      status: "PAYMENT_STATUS_SUCCEEDED",
      amount: { currencyCode: "USD", minorUnits: "25" },
    });
    for (const id of [json.payment?.paymentId, json.workflowId]) {
      const answer = await send(`GET /payment/${id}/status`);
      expect(answer.json).toMatchObject({ paymentId: json.payment?.paymentId, view: "success" });
    }
  });

  test("takes a bare number of minor units of the account's currency", async () => {
    const { json } = await send("POST /payment", { account_id: "1", amount: 30 });
    expect(json.payment?.amount).toEqual({ currencyCode: "USD", minorUnits: "30" });
  });

  test("takes user_id with a bare number, when the user has one account", async () => {
    const account = { account_id: "rest-user-usd", owner_id: "rest-user", currency_code: "USD" };
    expect((await send("POST /v1/accounts", account)).status).toBe(200);
    const { json } = await send("POST /payment", { user_id: "rest-user", amount: 30 });
    expect(json.payment).toMatchObject({
      accountId: "rest-user-usd",
      amount: { minorUnits: "30" },
    });
    await send("POST /v1/accounts", {
      account_id: "rest-user-eur",
      owner_id: "rest-user",
      currency_code: "EUR",
    });
    const twice = await send("POST /payment", { user_id: "rest-user", amount: 30 });
    expect([twice.status, twice.json.error?.message]).toEqual([
      400,
      expect.stringContaining("2 accounts"),
    ]);
  });

  test.each([
    [{ account_id: "1" }, "amount"],
    [{ account_id: "1", amount: 0 }, "10^15"],
    [{ account_id: "1", amount: -5 }, "10^15"],
    [{ account_id: "1", amount: 1.5 }, "whole"],
    [{ account_id: "1", amount: 5, amout: 6 }, "amout"],
    [{ amount: { currency_code: "USD", minor_units: "5" } }, "account_id"],
  ])("refuses %j with a word that helps", async (body, word) => {
    const { status, json } = await send("POST /payment", body);
    expect([status, json.error?.status]).toEqual([400, "INVALID_ARGUMENT"]);
    expect(json.error?.message).toContain(word);
  });

  test("an unknown payment or account is 404 with its reason", async () => {
    const payment = await send("GET /payment/absent/status");
    expect([payment.status, payment.json.error?.status]).toEqual([404, "NOT_FOUND"]);
    expect(payment.json.error?.details).toContainEqual(
      expect.objectContaining({ reason: "PAYMENT_NOT_FOUND", domain: "settle" }),
    );
    expect((await send("POST /payment", { account_id: "absent", amount: 5 })).status).toBe(404);
  });
});

describe("POST /fraud-check", () => {
  test.each([
    [true, "FRAUD_DECISION_PASS", "success"],
    [false, "FRAUD_DECISION_FAIL", "fail"],
  ])("is_valid %s decides the payment in review", async (isValid, decision, view) => {
    await send("PUT /v1/fraud/settings", {
      review_limits: [{ currency_code: "USD", minor_units: "10" }],
    });
    const { json } = await send("POST /payment", { account_id: "1", amount: 40 });
    const orderId = json.orderId ?? "";
    await waitUntil(async () => {
      const check = await send(`GET /v1/fraud/checks?decision=FRAUD_DECISION_REVIEW`);
      return JSON.stringify(check.json).includes(orderId);
    });
    expect((await send("POST /fraud-check", { order_id: orderId })).json.error).toMatchObject({
      status: "INVALID_ARGUMENT",
      message: expect.stringContaining("is_valid"),
    });
    const decided = await send("POST /fraud-check", { order_id: orderId, is_valid: isValid });
    expect(decided.json.check?.decision).toBe(decision);
    await waitUntil(async () => (await send(`GET /payment/${orderId}/status`)).json.view === view);
  });
});

test("Watch is a line per change", async () => {
  const { json } = await send("POST /payment", { account_id: "1", amount: 5 });
  const id = json.payment?.paymentId;
  const response = await fetch(`http://${stack.addresses.edge}/v1/payments/${id}:watch`);
  const lines = (await response.text()).trim().split("\n");
  expect(lines.every((line) => JSON.parse(line).payment.paymentId === id)).toBe(true);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
});

test("a page of this machine may call every method, a foreign one may not", async () => {
  const preflight = (origin: string) =>
    fetch(`http://${stack.addresses.edge}/v1/fraud/settings`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "PUT" },
    });
  const near = await preflight("http://localhost:5173");
  expect(near.headers.get("access-control-allow-methods")).toContain("PUT");
  expect((await preflight("https://evil.example")).headers.get("access-control-allow-origin")).toBe(
    null,
  );
});
