import { expect, test } from "vitest";
import { readNotificationConfig } from "#services/notification/config.ts";

const SETTLE_SEALING_KEY = "x".repeat(32);

test("delivers into the embedded inbox by default, for three days, without faults", () => {
  const config = readNotificationConfig({ SETTLE_SEALING_KEY });
  expect([config.smtpUrl, config.smsUrl]).toEqual(["", ""]);
  expect(config.sender.giveUpMs).toBe(3 * 86_400_000);
  expect(config.fault).toEqual({ kind: "NONE" });
  expect(config.sender.deliveryTimeoutMs).toBeLessThan(config.sender.leaseMs);
});

test.each([
  ["none", { kind: "NONE" }],
  ["fail:3", { kind: "FAIL", attempts: 3 }],
  ["apply-then-fail:1", { kind: "APPLY_THEN_FAIL", attempts: 1 }],
  ["refuse", { kind: "REFUSE" }],
])("reads the fault %s", (text, fault) => {
  expect(
    readNotificationConfig({ SETTLE_SEALING_KEY, SETTLE_NOTIFICATION_FAULT: text }).fault,
  ).toEqual(fault);
});

test("names every mistake at once", () => {
  const env = {
    SETTLE_SMTP_URL: "http://mail.example.org",
    SETTLE_SMS_URL: "sms.example.org",
    SETTLE_NOTIFICATION_FAULT: "fail",
    SETTLE_SEALING_KEY: "too-short",
  };
  for (const name of Object.keys(env)) {
    expect(() => readNotificationConfig(env)).toThrow(name);
  }
});
