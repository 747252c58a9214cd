import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

interface LockEntry {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const LOCK = path.resolve(import.meta.dirname, "../../../package-lock.json");

// A registry mirror may lack the packages of other systems; npm install leaves them out of the lock file then, and
// npm ci refuses such a file everywhere, on this system too.
test("the lock file names the optional packages of every system, or npm ci fails on a fresh clone", () => {
  const lock: { readonly packages: Readonly<Record<string, LockEntry>> } = JSON.parse(
    readFileSync(LOCK, "utf8"),
  );
  const missing = Object.entries(lock.packages).flatMap(([where, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) =>
        lock.packages[`node_modules/${name}`] === undefined &&
        lock.packages[`${where}/node_modules/${name}`] === undefined,
    ),
  );
  expect(missing).toEqual([]);
});
