import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DATA_VERSION, openDataDir, resetDataDir } from "#tools/devstack/data-dir.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "settle-data-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("openDataDir", () => {
  test("is for one start at a time, and free again after it", async () => {
    const first = await openDataDir(directory);
    await expect(openDataDir(directory)).rejects.toThrow(`in use by process ${process.pid}`);
    await first.release();
    await (await openDataDir(directory)).release();
  });

  test("refuses what a newer Settle wrote and touches nothing, so that going back is safe", async () => {
    await writeFile(
      path.join(directory, "version.json"),
      JSON.stringify({ dataVersion: DATA_VERSION + 1 }),
    );
    await expect(openDataDir(directory)).rejects.toThrow(/newer Settle .* Nothing was changed/);
    await expect(resetDataDir(directory)).rejects.toThrow(/newer Settle/);
    expect(await readdir(directory)).toEqual(["version.json"]);
  });

  test("refuses a directory with somebody else's files of our names", async () => {
    await writeFile(path.join(directory, "secrets.json"), "{}");
    await expect(openDataDir(directory)).rejects.toThrow("holds secrets.json but no version.json");
    await expect(resetDataDir(directory)).rejects.toThrow("Settle did not make it");
    expect(await readdir(directory)).toEqual(["secrets.json"]);
  });
});

describe("resetDataDir", () => {
  test("deletes what is ours and leaves what is not", async () => {
    await (await openDataDir(directory)).release();
    await writeFile(path.join(directory, "temporal.db-wal"), "");
    await writeFile(path.join(directory, "notes.txt"), "mine");
    await resetDataDir(directory);
    expect(await readdir(directory)).toEqual(["notes.txt"]);
  });

  test("refuses while a start uses it", async () => {
    const open = await openDataDir(directory);
    await expect(resetDataDir(directory)).rejects.toThrow("in use");
    await open.release();
  });

  test("does nothing where nothing is", async () => {
    await resetDataDir(path.join(directory, "none"));
    expect(await readdir(directory)).toEqual([]);
  });
});
