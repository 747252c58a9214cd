import { defineConfig } from "vitest/config";

/**
 * Which tests run: all but the tiers that take minutes, or one of these. CI runs `slow`, whose tests take many
 * seconds each, and `chaos`, which kills whole stacks, after the others; `long` is run by hand.
 */
const tiers = ["slow", "chaos", "long"];
const tier = process.env["SETTLE_TEST_TIER"] ?? "";

export default defineConfig({
  test: {
    include: [tiers.includes(tier) ? `test/${tier}/**/*.test.ts` : "test/**/*.test.ts"],
    exclude: tiers.filter((name) => name !== tier).map((name) => `test/${name}/**`),
    globalSetup: ["test/support/global-setup.ts"],
    pool: "forks",
    // Much of a test's time is waiting for timers and disks; a third file at once would starve the others of two cores.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
