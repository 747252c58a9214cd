import { describe, expect, test } from "vitest";
import { addressOf } from "#services/notification/domain/recipient.ts";

describe("e-mail", () => {
  test.each([
    ["alice@example.org", "alice@example.org"],
    ["o'neil+tag@mail.example.org", "o'neil+tag@mail.example.org"],
    ["alice", "alice@settle.test"],
    ["team:alice.1", "team=3Aalice.1@settle.test"],
    [".alice..b.", "=2Ealice.=2Eb=2E@settle.test"],
  ])("%s is reached at %s", (recipient, address) => {
    expect(addressOf(recipient, "EMAIL")).toEqual({ ok: true, value: address });
  });

  test.each([
    "",
    "@example.org",
    "alice@",
    "alice@example.org, eve@example.org",
    "Alice <alice@example.org>",
    "alice@example.org\r\nBcc: eve@example.org",
    "alice@-example.org-",
    "+4915112345678",
    "x".repeat(65),
  ])("%j is nobody's address", (recipient) => {
    expect(addressOf(recipient, "EMAIL").ok).toBe(false);
  });
});

describe("SMS", () => {
  test("takes numbers in E.164 and makes up one of no country for an account, always the same", () => {
    expect(addressOf("+4915112345678", "SMS")).toEqual({ ok: true, value: "+4915112345678" });
    const made = addressOf("alice", "SMS");
    expect(made).toEqual(addressOf("alice", "SMS"));
    expect(made).not.toEqual(addressOf("bob", "SMS"));
    expect(made.ok && made.value).toMatch(/^\+999\d{10}$/);
  });

  test.each([
    ["+1 (415) 555-2671", "+14155552671"],
    ["+49 (0)151 12345678", "+4915112345678"],
    ["+351 912 345 678", "+351912345678"],
  ])("a number may be written as people write it: %s", (written, number) => {
    expect(addressOf(written, "SMS")).toEqual({ ok: true, value: number });
  });

  test.each([
    "alice@example.org",
    "+0123456789",
    "+49 151",
    "+12345",
    `+${"1".repeat(16)}`,
    "+999123456789",
    "+1415555267",
  ])("%j is no number", (recipient) => {
    expect(addressOf(recipient, "SMS").ok).toBe(false);
  });
});
