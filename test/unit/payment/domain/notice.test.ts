import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMoney } from "#kit/pure/money.ts";
import { render } from "#services/notification/domain/templates.ts";
import { eventBody } from "#services/notification/domain/webhook.ts";
import { buildNotice } from "#services/payment/domain/notice.ts";

/** How a payment can end, and what the ledger moved then, in minor units. */
const ends = fc
  .record({
    authorized: fc.bigInt(1n, 10n ** 15n),
    part: fc.bigInt(1n, 10n ** 15n),
    event: fc.constantFrom("succeeded" as const, "failed" as const, "cancelled" as const),
    currencyCode: fc.constantFrom("USD", "JPY", "KWD"),
  })
  .map(({ authorized, part, ...end }) => {
    const captured = end.event === "succeeded" ? 1n + (part % authorized) : 0n;
    return { ...end, authorized, captured };
  });

function told(notice: ReturnType<typeof buildNotice>) {
  const { template, channel, paymentId, recipient } = notice;
  const variables = new Map(Object.entries(notice.variables));
  const content = { template, channel, paymentId, recipient, variables };
  const createTime = new Date("2030-01-01T00:00:00Z");
  const message = { id: notice.notificationId, content, createTime };
  return { ...render(content), event: JSON.parse(eventBody(message, 1)) };
}

test("what is told of a payment, by message and by webhook, is what the ledger moved", () => {
  fc.assert(
    fc.property(ends, ({ event, currencyCode, authorized, captured }) => {
      const amount = { currencyCode, minorUnits: authorized };
      const subject = { id: "p1", paymentId: "p1", accountId: "alice", reason: "" };
      const text = told(buildNotice({ ...subject, amount, captured, event }));
      const money = (minorUnits: bigint) => ({
        currency_code: currencyCode,
        minor_units: `${minorUnits}`,
      });
      expect(text.event.data.payment).toMatchObject({
        amount: money(authorized),
        captured_amount: money(captured),
      });
      const words = (minorUnits: bigint) => formatMoney({ currencyCode, minorUnits });
      const headline = event === "succeeded" ? captured : authorized;
      expect(text.subject).toContain(`of ${words(headline)} `);
      expect(text.body.includes("Nothing was charged")).toBe(captured === 0n);
      expect(text.body.includes(`Of the ${words(authorized)}`)).toBe(
        event === "succeeded" && captured < authorized,
      );
    }),
  );
});

test("a refund tells what it gives back, and nothing of what the payment took", () => {
  const amount = { currencyCode: "USD", minorUnits: 40n };
  const subject = { id: "r1", paymentId: "p1", accountId: "alice", reason: "" };
  const { subject: line, event } = told(buildNotice({ ...subject, amount, event: "refunded" }));
  expect(line).toContain("0.40 USD");
  expect(event.data.refund.amount).toEqual({ currency_code: "USD", minor_units: "40" });
  expect(event.data.payment).toEqual({ payment_id: "p1", account_id: "alice" });
});
