import { expect, test } from "vitest";
import { backoffMs, isDead } from "#services/gateway/domain/callback.ts";

test("the pause doubles from half a second to 30 s, so that a merchant that is down is not flooded", () => {
  expect([1, 2, 3, 4, 5, 6].map(backoffMs)).toEqual([500, 1000, 2000, 4000, 8000, 16_000]);
  expect([7, 8, 1000].map(backoffMs)).toEqual([30_000, 30_000, 30_000]);
});

test("a callback is given up after 3 days and not before", () => {
  const task = {
    authorizationKey: "k",
    sendings: [],
    sentCount: 0,
    attempts: 1,
    firstDueTime: new Date(0),
  };
  const threeDaysMs = 3 * 24 * 3_600_000;
  expect(isDead(task, new Date(threeDaysMs))).toBe(false);
  expect(isDead(task, new Date(threeDaysMs + 1))).toBe(true);
});
