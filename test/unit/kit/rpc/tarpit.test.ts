import { expect, test } from "vitest";
import { createTarpit } from "#kit/rpc/tarpit.ts";

test("an address waits for ten seconds after its last offence, and others never do", () => {
  let nowMs = 0;
  const tarpit = createTarpit(() => nowMs);
  expect(tarpit.waitMs("a")).toBe(0);
  tarpit.note("a");
  nowMs = 9_000;
  expect([tarpit.waitMs("a"), tarpit.waitMs("b")]).toEqual([250, 0]);
  tarpit.note("a");
  nowMs = 18_999;
  expect(tarpit.waitMs("a")).toBe(250);
  nowMs = 19_000;
  expect(tarpit.waitMs("a")).toBe(0);
});

test("a crowd of addresses pushes out the oldest, so that memory has a bound", () => {
  const tarpit = createTarpit(() => 0);
  for (let each = 0; each <= 1_000; each += 1) tarpit.note(`address-${each}`);
  expect(tarpit.waitMs("address-0")).toBe(0);
  expect(tarpit.waitMs("address-1")).toBe(250);
});
