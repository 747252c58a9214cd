import { defineConfig } from "vitest/config";

/** What takes many minutes runs by itself: `npm run test:long`. */
const long = process.env["SETTLE_LONG"] === "1";

export default defineConfig({
  test: {
    include: [long ? "test/long/**/*.test.ts" : "test/**/*.test.ts"],
    exclude: long ? [] : ["test/long/**"],
    globalSetup: ["test/support/global-setup.ts"],
    pool: "forks",
    // Much of a test's time is waiting for timers and disks; a third file at once would starve the others of two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
