import proto from "@temporalio/proto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Role } from "#gen/common/v1/access_pb.ts";
import { CaptureMode } from "#gen/payment/v1/payment_pb.ts";
import { PAYLOAD_KEY, type Stack } from "#test/support/stack.ts";
import {
  Behaviour,
  endOf,
  openAccount,
  PaymentStatus,
  pay,
  startQuickStack,
  until,
} from "./payment.support.ts";

describe("the codec endpoint", () => {
  let stack: Stack;
  let stored: proto.temporal.api.common.v1.IPayloads;
  beforeAll(async () => {
    stack = await startQuickStack();
    const accountId = await openAccount(stack, 100n, { name: "codec-account" });
    const paymentId = await pay(stack, accountId, Behaviour.OK);
    expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
    const { client } = await stack.platform.temporal();
    const history = await client.workflow.getHandle(`payment-${paymentId}`).fetchHistory();
    stored = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input ?? {};
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  const ask = (body: string, headers: Record<string, string> = {}, method = "POST") =>
    fetch(`http://${stack.addresses.edge}/codec/decode`, {
      method,
      headers: { "content-type": "application/json", "x-namespace": "default", ...headers },
      ...(method === "POST" ? { body } : {}),
    });
  const json = () => JSON.stringify(proto.temporal.api.common.v1.Payloads.create(stored));

  test("shows Temporal's page what is stored, in the form that it asks in", async () => {
    expect(json()).not.toContain("codec-account");
    const response = await ask(json(), { origin: "http://127.0.0.1:8233" });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("http://127.0.0.1:8233");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const answer = proto.temporal.api.common.v1.Payloads.fromObject(Object(await response.json()));
    expect(Buffer.from(answer.payloads[0]?.data ?? []).toString()).toContain("codec-account");
  });

  test("lets the page's browser send what it sends", async () => {
    const response = await fetch(`http://${stack.addresses.edge}/codec/decode`, {
      method: "OPTIONS",
      headers: {
        origin: "http://127.0.0.1:8233",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-namespace,authorization",
      },
    });
    expect(response.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(
      "x-namespace",
    );
  });

  test("is for operators, and for pages of this machine", async () => {
    const { secret } = await stack.keys.createKey({ subject: "till", roles: [Role.MERCHANT] });
    const merchant = await ask(json(), { authorization: `Bearer ${secret}` });
    expect([merchant.status, await merchant.text()]).toEqual([
      403,
      expect.stringContaining("ROLE_MISSING"),
    ]);
    const stranger = await ask(json(), { authorization: "Bearer sk_unknown_key" });
    expect(stranger.status).toBe(401);
    const page = await ask(json(), { origin: "https://evil.example" });
    expect(page.status).toBe(403);
  });

  test.each([
    ["no JSON", "{", 400],
    ["no payloads", "[1]", 200],
    ["null", "null", 400],
    ["too much", `{"payloads": [{"data": "${"A".repeat(3_000_000)}"}]}`, 413],
  ])("answers %s with a status and not with a crash", async (_, body, status) => {
    expect((await ask(body)).status).toBe(status);
  });

  test("decodes only, by POST only", async () => {
    expect((await ask("", {}, "GET")).status).toBe(405);
    const encode = await fetch(`http://${stack.addresses.edge}/codec/encode`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: json(),
    });
    expect(encode.status).toBe(404);
  });
});

test("a key is rotated while payments are open: the old one behind the new one lets them end", async () => {
  await using before = await startQuickStack();
  const accountId = await openAccount(before, 100n);
  const paymentId = await pay(before, accountId, Behaviour.OK, { captureMode: CaptureMode.MANUAL });
  await until(before, paymentId, PaymentStatus.REQUIRES_CAPTURE);
  for (const name of ["edge", "payment", "account", "fraud", "notification"] as const) {
    await before.stop(name);
  }
  const { SETTLE_DATABASE_PREFIX = "", TEMPORAL_NAMESPACE = "" } = before.env;
  await using after = await startQuickStack({
    SETTLE_DATABASE_PREFIX,
    TEMPORAL_NAMESPACE,
    SETTLE_PAYLOAD_KEYS: `next-payload-key-of-at-least-32-characters,${PAYLOAD_KEY}`,
  });
  await after.payment.capture({ paymentId });
  expect(await endOf(after, paymentId)).toBe("SUCCEEDED");
});
