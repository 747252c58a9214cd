import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DATA_VERSION, DataDirError, openDataDir, resetDataDir } from "#tools/devstack/data-dir.ts";

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

describe("a directory that cannot be used is told in a sentence", () => {
  test.each([
    ["/proc/x", "nothing can be made there"],
    ["/proc/self/x", /nothing can be made there|may not write/],
    [`/tmp/${"x".repeat(300)}`, "the path is too long"],
  ])("%s", async (place, why) => {
    await expect(openDataDir(place)).rejects.toThrow(DataDirError);
    await expect(openDataDir(place)).rejects.toThrow(why);
  });

  test("a file, and something below a file", async () => {
    const file = path.join(directory, "file");
    await writeFile(file, "");
    await expect(openDataDir(file)).rejects.toThrow(
      `${file} cannot be used to store anything: it, or a part of its path, is a file`,
    );
    await expect(openDataDir(path.join(file, "x"))).rejects.toThrow(
      "a part of its path, is a file",
    );
    await expect(resetDataDir(path.join(file, "x"))).resolves.toBeUndefined();
  });
});

describe("what is stored is closed to others", () => {
  test("a new directory, its parts and its files", async () => {
    const place = path.join(directory, "new");
    const opened = await openDataDir(place);
    for (const name of ["", "mongo", "logs", "run", "version.json"]) {
      const { mode } = await stat(path.join(place, name));
      expect([name, mode & 0o077]).toEqual([name, 0]);
    }
    await opened.release();
  });

  test("what an earlier version left open, and not what is somebody else's", async () => {
    await (await openDataDir(directory)).release();
    await writeFile(path.join(directory, "temporal.db"), "", { mode: 0o644 });
    await writeFile(path.join(directory, "notes"), "", { mode: 0o644 });
    await chmod(path.join(directory, "mongo"), 0o755);
    await chmod(directory, 0o755);
    await (await openDataDir(directory)).release();
    const modes = await Promise.all(
      ["temporal.db", "mongo", "notes", "."].map(async (name) => {
        return (await stat(path.join(directory, name))).mode & 0o777;
      }),
    );
    expect(modes).toEqual([0o600, 0o700, 0o644, 0o755]);
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
