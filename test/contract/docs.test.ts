import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_PORTS } from "#kit/config.ts";
import { withModulePicture } from "#tools/docs/modules.ts";
import { shellBlocks } from "../support/doc-blocks.ts";
import { readTree, type TextFile } from "../support/tidy/files.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const tree = readTree(ROOT);
const pages = tree.filter(({ path: file }) => file.endsWith(".md"));

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

describe("docs/ARCHITECTURE.md", () => {
  const text = readFileSync(path.join(ROOT, "docs/ARCHITECTURE.md"), "utf8");
  const services = Object.entries(DEFAULT_PORTS).filter(([service]) =>
    existsSync(path.join(ROOT, "services", service, "main.ts")),
  );

  test("shows the rooms as the imports are, so that the picture cannot age", async () => {
    expect(await withModulePicture(text)).toBe(text);
  });

  test.each(services)(
    "%s owns the port, collections and task queues that the table says",
    (service, port) => {
      const [, ports = "", collections = "", temporal = ""] =
        text.match(new RegExp(`^\\| ${service} \\| (\\d+) \\|([^|]*)\\|([^|]*)\\|`, "m")) ?? [];
      expect(ports.trim()).toBe(String(port));
      expect(quoted(collections)).toEqual(collectionsOf(service));
      expect(quoted(temporal)).toEqual(expect.arrayContaining(taskQueuesOf(service)));
    },
  );
});

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "").sort();
}

/** Collections a service names in its store, and `requests` where it keeps answers by request_id. */
function collectionsOf(service: string): string[] {
  const own = sources(service).filter(({ path: file }) => file.includes("/store/"));
  const names = own.flatMap(({ text }) =>
    [...text.matchAll(/(?:collection(?:<\w+>)?\(|ensureCollection\(db, )"(\w+)"/g)].map(
      (m) => m[1] ?? "",
    ),
  );
  const keepsAnswers = sources(service).some(({ text }) => text.includes("#kit/idempotency/"));
  // Reporting reads what others own, and owns nothing.
  if (service === "reporting") return [];
  return [...new Set([...names, ...(keepsAnswers ? ["requests"] : [])])].sort();
}

function taskQueuesOf(service: string): string[] {
  return sources(service).flatMap(({ text }) =>
    [...text.matchAll(/TASK_QUEUE = "([^"]+)"/g)].map((match) => match[1] ?? ""),
  );
}

function sources(service: string): readonly TextFile[] {
  return tree.filter(
    ({ path: file }) => file.startsWith(`services/${service}/`) && file.endsWith(".ts"),
  );
}
