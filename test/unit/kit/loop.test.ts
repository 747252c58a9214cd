import { setImmediate as tick } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { createLog } from "#kit/log.ts";
import { startLoop } from "#kit/loop.ts";

const log = createLog("silent");

test("runs at once and again after each pause, so that due work is found without a poke", async () => {
  let runs = 0;
  await using loop = startLoop({
    name: "test",
    intervalMs: 1,
    log,
    run: async () => {
      runs += 1;
    },
  });
  await vi.waitUntil(() => runs >= 3);
  await loop.stop();
  const atStop = runs;
  loop.poke();
  await tick();
  expect(runs).toBe(atStop);
});

test("a poke cuts the pause short, so that new work is not delayed by it", async () => {
  let runs = 0;
  await using loop = startLoop({
    name: "test",
    intervalMs: 3_600_000,
    log,
    run: async () => {
      runs += 1;
    },
  });
  await vi.waitUntil(() => runs === 1);
  await tick();
  loop.poke();
  await vi.waitUntil(() => runs === 2);
});

test("pokes during a run lead to one more run and never to two at once", async () => {
  let runs = 0;
  let open = 0;
  let openMax = 0;
  const gate = Promise.withResolvers<void>();
  await using loop = startLoop({
    name: "test",
    intervalMs: 3_600_000,
    log,
    run: async () => {
      runs += 1;
      open += 1;
      openMax = Math.max(openMax, open);
      await gate.promise;
      open -= 1;
    },
  });
  for (let i = 0; i < 5; i += 1) loop.poke();
  expect(runs).toBe(1);
  gate.resolve();
  await vi.waitUntil(() => runs === 2);
  await loop.stop();
  expect({ runs, openMax }).toEqual({ runs: 2, openMax: 1 });
});

test("goes on after a failed run, so that an outage does not end the work for good", async () => {
  let runs = 0;
  await using _loop = startLoop({
    name: "test",
    intervalMs: 1,
    log,
    run: async () => {
      runs += 1;
      if (runs < 3) throw new Error("down");
    },
  });
  await vi.waitUntil(() => runs >= 5);
});

test("stop aborts the run under way and waits for its end, so that nothing runs on a closed store", async () => {
  let ended = false;
  const loop = startLoop({
    name: "test",
    intervalMs: 1,
    log,
    run: async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      await tick();
      ended = true;
    },
  });
  await loop.stop();
  expect(ended).toBe(true);
  await loop.stop();
});
