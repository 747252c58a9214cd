import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Channel, Content, Template } from "#services/notification/domain/notification.ts";
import { render } from "#services/notification/domain/templates.ts";

const TEMPLATES: readonly Template[] = [
  "PAYMENT_SUCCEEDED",
  "PAYMENT_FAILED",
  "PAYMENT_CANCELLED",
  "PAYMENT_REFUNDED",
];

function content(
  template: Template,
  channel: Channel,
  variables: Readonly<Record<string, string>> = {},
): Content {
  return {
    recipient: "alice",
    channel,
    template,
    variables: new Map(Object.entries(variables)),
    paymentId: "p-1",
  };
}

const FULL = {
  amount: "12.50 USD",
  description: "Two coffees",
  failure: "Insufficient funds",
  orderId: "o-7",
};

describe("e-mail", () => {
  test.each([
    ["PAYMENT_SUCCEEDED", "Your payment of 12.50 USD went through"],
    ["PAYMENT_FAILED", "Your payment of 12.50 USD failed"],
    ["PAYMENT_CANCELLED", "Your payment of 12.50 USD was cancelled"],
    ["PAYMENT_REFUNDED", "Your refund of 12.50 USD is on its way"],
  ] as const)("%s says what happened in its subject", (template, subject) => {
    expect(render(content(template, "EMAIL", FULL)).subject).toBe(subject);
  });

  test("names reason, purpose, order and payment in its text", () => {
    expect(render(content("PAYMENT_FAILED", "EMAIL", FULL)).body).toBe(
      [
        "Your payment of 12.50 USD failed. Nothing was charged.",
        "",
        "Reason: Insufficient funds",
        "It was for: Two coffees",
        "",
        "Order: o-7",
        "Payment: p-1",
        "",
      ].join("\n"),
    );
  });
});

test.each(TEMPLATES)("%s reads well when every variable is missing", (template) => {
  for (const channel of ["EMAIL", "SMS"] as const) {
    const { subject, body } = render(content(template, channel));
    for (const text of [subject, body]) {
      expect(text).not.toMatch(/undefined|null|\{|\}| {2}| \.| of went| of failed|: *$/);
    }
    expect(body).not.toBe("");
  }
});

test("no variable can begin a new line in a subject or outgrow an SMS", () => {
  const value = fc.string({ unit: "binary", maxLength: 400 });
  fc.assert(
    fc.property(
      fc.constantFrom(...TEMPLATES),
      fc.dictionary(fc.constantFrom(...Object.keys(FULL)), value),
      (template, variables) => {
        const { subject } = render(content(template, "EMAIL", variables));
        expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        const sms = render(content(template, "SMS", variables));
        expect(sms.subject).toBe("");
        expect([...sms.body].length).toBeLessThanOrEqual(210);
        expect(sms.body.isWellFormed()).toBe(true);
      },
    ),
  );
});
