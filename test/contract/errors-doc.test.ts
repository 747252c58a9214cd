import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { ReasonInfo, ReasonTable } from "#kit/pure/reasons.ts";
import { readContract } from "#tools/docs/api/image.ts";
import { errorsPage, reasonTables } from "#tools/docs/errors.ts";
import { readTree, type TextFile } from "../support/tidy/files.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const tree = readTree(ROOT);
const COMMON = "every service";

let tables: ReadonlyMap<string, ReasonTable>;
let documented: ReadonlyMap<string, string>;

beforeAll(async () => {
  tables = await reasonTables();
  const page = readFileSync(path.join(ROOT, "docs/errors.md"), "utf8");
  documented = new Map(
    [...page.matchAll(/^\| `([A-Z_0-9]+)` \| (\w+) \|/gm)].map((m) => [m[1] ?? "", m[2] ?? ""]),
  );
});

describe("docs/errors.md", () => {
  test("is what npm run docs writes, so that nobody edits it by hand", async () => {
    expect(readFileSync(path.join(ROOT, "docs/errors.md"), "utf8")).toBe(
      errorsPage(tables, await readContract()),
    );
  });

  test("names every reason a service can answer with", () => {
    const missing = entries().filter(([, reason, { status }]) => documented.get(reason) !== status);
    expect(missing).toEqual([]);
  });

  test("names no reason that no service has", () => {
    const known = new Set(entries().map(([, reason]) => reason));
    expect([...documented.keys()].filter((reason) => !known.has(reason))).toEqual([]);
  });
});

describe("reason tables", () => {
  test("a reason means the same everywhere: one status, retryable or not", () => {
    const meanings = new Map<string, Set<string>>();
    for (const [, reason, { status, retryable }] of entries()) {
      meanings.set(reason, (meanings.get(reason) ?? new Set()).add(`${status} ${retryable}`));
    }
    expect([...meanings].filter(([, meaning]) => meaning.size > 1)).toEqual([]);
  });

  test("a refusal names a reason of its own service's table or of the common one", () => {
    const strangers = refusals().filter(({ owner, reason }) => !isKnown(owner, reason));
    expect(strangers).toEqual([]);
  });

  test("a contract promises no reason its service does not have", () => {
    const strangers = promises().filter(({ owner, reason }) => !isKnown(owner, reason));
    expect(strangers).toEqual([]);
  });

  test("every reason is given by some code, so that the page lists no ghosts", () => {
    const ghosts = entries().filter(([, reason]) => !isGiven(reason));
    expect(ghosts.map(([owner, reason]) => `${owner}: ${reason}`)).toEqual([]);
  });
});

function entries(): [owner: string, reason: string, info: ReasonInfo][] {
  return [...tables].flatMap(([owner, table]) =>
    Object.entries(table).map(([reason, info]): [string, string, ReasonInfo] => [
      owner,
      reason,
      info,
    ]),
  );
}

function isKnown(owner: string, reason: string): boolean {
  return reason in (tables.get(owner) ?? {}) || reason in (tables.get(COMMON) ?? {});
}

interface Mention {
  readonly owner: string;
  readonly reason: string;
  readonly path: string;
}

/** Reasons given to `new Refusal("…")` in each service. */
function refusals(): Mention[] {
  return tree
    .filter((file) => /^services\/(?!kit\/).*\.ts$/.test(file.path))
    .flatMap((file) => mentions(file, /new Refusal\(\s*"([A-Z_0-9]+)"/g));
}

/** Reasons that a comment in a contract says an RPC fails with. */
function promises(): Mention[] {
  return tree
    .filter((file) => /^proto\/(?!buf|common|google|grpc)/.test(file.path))
    .flatMap((file) => mentions(file, /[Ff]ails? with ([A-Z_0-9]{4,})/g));
}

function mentions(file: TextFile, pattern: RegExp): Mention[] {
  return [...file.text.matchAll(pattern)].map((match) => ({
    owner: file.path.split("/")[1] ?? "",
    reason: match[1] ?? "",
    path: file.path,
  }));
}

/** Whether code besides the tables names the reason; a validation rule's id in a contract counts. */
function isGiven(reason: string): boolean {
  return tree.some(
    ({ path: file, text }) =>
      /^(services\/.*\.ts|proto\/.*\.proto)$/.test(file) &&
      !file.endsWith("/reasons.ts") &&
      text.includes(`"${reason}"`),
  );
}
