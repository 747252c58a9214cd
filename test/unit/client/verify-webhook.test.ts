import { describe, expect, test } from "vitest";
import { type VerifyWebhookOptions, verifyWebhook, WebhookError } from "#client/index.ts";
import { signWebhook, signWebhookByAll } from "#kit/webhook.ts";

const NOW_MS = 1_700_000_000_000;
const SECRET = "whsec_0123456789abcdef";
const body = JSON.stringify({
  event_id: "p:succeeded",
  type: "payment.succeeded",
  sequence: 1,
  occurred_at: "2026-01-02T03:04:05Z",
  a_field_of_a_newer_server: 1,
  data: { payment: { payment_id: "p", amount: { currency_code: "USD", minor_units: "25" } } },
});
const signed = (secret = SECRET, text = body, ms = NOW_MS) => signWebhook(secret, ms / 1_000, text);

const verify = (changed: Partial<VerifyWebhookOptions>) =>
  verifyWebhook({ body, signature: signed(), secrets: [SECRET], nowMs: NOW_MS, ...changed });
const faultOf = async (changed: Partial<VerifyWebhookOptions>) => {
  const error: unknown = await verify(changed).catch((thrown: unknown) => thrown);
  return error instanceof WebhookError ? error.fault : error;
};

describe("verifyWebhook", () => {
  test("reads the event of what the service signed, as text and as bytes", async () => {
    for (const form of [body, new TextEncoder().encode(body)]) {
      const event = await verify({ body: form });
      expect(event).toMatchObject({ eventId: "p:succeeded", type: "payment.succeeded" });
      expect(event.data?.payment?.amount?.minorUnits).toBe(25n);
    }
  });

  test("takes either secret while one is rotated, at the sender or here", async () => {
    const both = signWebhookByAll(["old-secret", SECRET], NOW_MS / 1_000, body);
    await expect(verify({ signature: both })).resolves.toBeDefined();
    await expect(verify({ secrets: ["next-secret", SECRET] })).resolves.toBeDefined();
  });

  test.each([
    ["one changed byte", { body: `${body} ` }, "forged"],
    ["another secret", { signature: signed("another-secret") }, "forged"],
    ["half of the signature", { signature: signed().slice(0, -32) }, "malformed"],
    [
      "one wrong digit",
      { signature: signed().replace(/.$/, (d) => (d === "0" ? "1" : "0")) },
      "forged",
    ],
    ["no header", { signature: null }, "malformed"],
    ["two times", { signature: `t=1,${signed()}` }, "malformed"],
    ["a header without end", { signature: `${signed()},${"x=1,".repeat(300)}` }, "malformed"],
    ["an old delivery", { nowMs: NOW_MS + 300_001 }, "expired"],
    ["one from the future", { nowMs: NOW_MS - 300_001 }, "expired"],
    ["a signed text that is no event", { body: "{", signature: signed(SECRET, "{") }, "unreadable"],
  ] as const)("refuses %s", async (_, changed, fault) => {
    expect(await faultOf(changed)).toBe(fault);
  });

  test("an empty secret is no secret: anybody can sign with it", async () => {
    expect(await faultOf({ secrets: ["", SECRET], signature: signed("") })).toBe("forged");
    await expect(verify({ secrets: [""] })).rejects.toThrow(/secrets is empty/);
  });
});
