import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Sources of a folder of the repository, by their paths from its root. */
export function sourcesOf(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" });
  const sources = files
    .filter((file) => /\.(ts|mjs)$/.test(file))
    .map((file) => path.join(folder, file));
  return new Map(sources.map((file) => [file, readFileSync(path.join(ROOT, file), "utf8")]));
}
