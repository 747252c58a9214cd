import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { shellBlocks } from "../support/doc-blocks.ts";
import { readTree } from "../support/tidy/files.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const pages = readTree(ROOT).filter(({ path: file }) => file.endsWith(".md"));

/** Every requirement of the scope, as docs/requirements.md must name it. */
const REQUIREMENTS = [
  ...Array.from({ length: 10 }, (_, index) => `BR-${index + 1}`),
  ...Array.from({ length: 10 }, (_, index) => `FR-${index + 1}`),
  "NFR",
  "SVC",
  ...Array.from({ length: 9 }, (_, index) => `bug ${index + 1}`),
];

describe.each(pages.map(({ path: file, text }) => [file, text] as const))("%s", (file, text) => {
  test("links only to what exists", () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1] ?? "");
    expect(links.filter((link) => !existsSync(path.join(ROOT, path.dirname(file), link)))).toEqual(
      [],
    );
  });

  test("names only files that exist", () => {
    const named = [
      ...text.matchAll(/`((?:services|test|tools|docs|proto|loadtest)\/[\w./-]*\w)`/g),
    ];
    const files = named.map((match) => match[1] ?? "");
    expect(files.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
  });

  test("says of every shell block how it is proven", () => {
    const unproven = shellBlocks(text).filter(({ mark }) => mark === "");
    expect(unproven.map(({ commands }) => commands[0])).toEqual([]);
    const proofs = shellBlocks(text).flatMap(
      ({ mark }) => /^proven by (\S+)$/.exec(mark)?.[1] ?? [],
    );
    expect(proofs.filter((proof) => !existsSync(path.join(ROOT, proof)))).toEqual([]);
  });
});

describe("docs/requirements.md", () => {
  const text = readFileSync(path.join(ROOT, "docs/requirements.md"), "utf8");
  const rows = new Map(
    [...text.matchAll(/^\| ([^|]+?) \|(.+)\|$/gm)].map((m) => [m[1] ?? "", m[2] ?? ""]),
  );

  test.each(REQUIREMENTS)("%s names the files that meet it and a test that proves it", (id) => {
    const row = rows.get(id) ?? "";
    expect(row).toMatch(/`(services|tools|proto|docker-compose|loadtest)[\w./-]*`/);
    expect(row).toMatch(/`test\/[\w./-]+`/);
  });
});
