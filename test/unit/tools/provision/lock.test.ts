import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isAlive, processBirth, tryLock, withLock } from "#tools/provision/lock.ts";

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "settle-lock-"));
  file = path.join(directory, "lock");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("lock", () => {
  test("names its live owner to the second who asks", async () => {
    const lock = await tryLock(file);
    expect(await tryLock(file)).toMatchObject({ pid: process.pid });
    if ("release" in lock) await lock.release();
    expect(await tryLock(file)).toHaveProperty("release");
  });

  test("is taken over from a dead owner, also when its pid was given to somebody else", async () => {
    await writeFile(file, JSON.stringify({ pid: process.pid, birth: "long ago" }));
    expect(await tryLock(file)).toHaveProperty("release");
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  test("is taken over when its owner died before it wrote its name", async () => {
    await writeFile(file, "");
    await utimes(file, new Date(0), new Date(0));
    expect(await tryLock(file)).toHaveProperty("release");
  });

  test("lets one in at a time, however many crowd at a stale one", async () => {
    await writeFile(file, JSON.stringify({ pid: 999_999_999, birth: "never" }));
    let inside = 0;
    let most = 0;
    const visits = Array.from({ length: 8 }, () =>
      withLock(file, { waitMs: 20_000 }, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      }),
    );
    await Promise.all(visits);
    expect(most).toBe(1);
  });
});

describe("process identity", () => {
  test("tells this process from an earlier one with its pid", () => {
    expect(isAlive({ pid: process.pid, birth: processBirth(process.pid) })).toBe(true);
    expect(isAlive({ pid: process.pid, birth: "earlier" })).toBe(false);
    expect(processBirth(999_999_999)).toBeUndefined();
  });
});
