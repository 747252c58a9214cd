import { expect, test } from "vitest";
import { createBatches } from "#services/fraud/application/batches.ts";

test("collects what arrives during a batch into the next one, in order, lanes apart", async () => {
  const seen: string[] = [];
  const gates: (() => void)[] = [];
  const submit = createBatches<number, number>(async (lane, items) => {
    seen.push(`${lane}:${items.join("+")}`);
    await new Promise<void>((resolve) => gates.push(resolve));
    return items.map((item) => item * 10);
  });
  const first = submit("a", 1);
  const rest = [submit("a", 2), submit("a", 3)];
  const other = submit("b", 4);
  expect(seen).toEqual(["a:1", "b:4"]);
  for (const open of gates.splice(0)) open();
  expect(await first).toBe(10);
  expect(await other).toBe(40);
  expect(seen.at(-1)).toBe("a:2+3");
  for (const open of gates.splice(0)) open();
  expect(await Promise.all(rest)).toEqual([20, 30]);
});

test("fails a batch for its own items only, so that the next ones are tried", async () => {
  let failing = true;
  const submit = createBatches<number, number>(async (_, items) => {
    if (failing) throw new Error("no database");
    return [...items];
  });
  await expect(submit("a", 1)).rejects.toThrow("no database");
  failing = false;
  expect(await submit("a", 2)).toBe(2);
});

test("takes at most 200 at once, so that a transaction stays small", async () => {
  const sizes: number[] = [];
  const submit = createBatches<number, number>(async (_, items) => {
    sizes.push(items.length);
    await Promise.resolve();
    return [...items];
  });
  await Promise.all(Array.from({ length: 450 }, (_, i) => submit("a", i)));
  expect(sizes).toEqual([1, 200, 200, 49]);
});
