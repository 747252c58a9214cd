import { expect, test } from "vitest";
import { retryPauseMs } from "#services/notification/domain/retry.ts";

const POLICY = { pauseMinMs: 1_000, pauseMaxMs: 300_000, giveUpMs: 259_200_000 };

test("doubles from one second to five minutes and never overflows", () => {
  const pauses = [1, 2, 3, 9, 10, 11, 5_000].map((attempts) => retryPauseMs(POLICY, attempts, 1));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000, 300_000]);
});

test("spreads a pause over its upper half, so that an outage does not end in a stampede", () => {
  expect(retryPauseMs(POLICY, 1, 0)).toBe(500);
  expect(retryPauseMs(POLICY, 1, 0.5)).toBe(750);
});
