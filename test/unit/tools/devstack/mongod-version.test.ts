import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkMongodVersion, recordMongodVersion } from "#tools/devstack/mongod-version.ts";

let root: string;
const places = () => ({
  path: root,
  mongo: path.join(root, "mongo"),
  mongodFile: path.join(root, "mongod.json"),
});
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "settle-mongod-"));
  await mkdir(path.join(root, "mongo"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("any mongod may begin an empty directory", async () => {
  for (const version of ["6.0.5", "8.0.12"]) await checkMongodVersion(places(), version);
});

test.each([
  ["6.0", "6.0.5"],
  ["6.0", "7.0.1"],
  ["7.0", "8.0.12"],
  ["8.0", "8.0.1"],
])("data of %s are read by %s", async (series, version) => {
  await recordMongodVersion(places(), series);
  await expect(checkMongodVersion(places(), version)).resolves.toBeUndefined();
});

test.each([
  ["8.0", "6.0.5", "it is older than the data"],
  ["8.0", "7.0.2", "it is older than the data"],
  ["6.0", "8.0.12", "the way to it leads over MongoDB 7.0"],
])(
  "data of %s are not given to %s, and the sentence says what to do",
  async (series, version, why) => {
    await recordMongodVersion(places(), series);
    const check = checkMongodVersion(places(), version);
    await expect(check).rejects.toThrow(
      `holds data of MongoDB ${series}, which mongod ${version} cannot read: ${why}; set SETTLE_TOOL_MONGOD to a mongod ${series}`,
    );
  },
);

test("data from before versions were written down are those of the only mongod there was", async () => {
  await writeFile(path.join(root, "mongo", "WiredTiger"), "");
  await expect(checkMongodVersion(places(), "6.0.9")).resolves.toBeUndefined();
  await expect(checkMongodVersion(places(), "8.0.12")).rejects.toThrow("holds data of MongoDB 6.0");
});
