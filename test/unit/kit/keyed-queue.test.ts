import { expect, test } from "vitest";
import { KeyedQueue } from "#kit/keyed-queue.ts";

test("work of one key runs in order and alone, also after work that failed", async () => {
  const queue = new KeyedQueue();
  const seen: string[] = [];
  const work = (name: string, fails = false) =>
    queue.run("k", async () => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const ends = await Promise.allSettled([work("a"), work("b", true), work("c")]);
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(seen).toEqual(["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test("work of another key does not wait, and a key without work is forgotten", async () => {
  const queue = new KeyedQueue();
  const open = Promise.withResolvers<void>();
  const slow = queue.run("slow", () => open.promise);
  await expect(queue.run("quick", async () => 1)).resolves.toBe(1);
  expect(queue.size).toBe(1);
  open.resolve();
  await slow;
  expect(queue.size).toBe(0);
});
