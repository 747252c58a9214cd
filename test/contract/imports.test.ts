import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { cruise, type ICruiseOptions, type ICruiseResult } from "dependency-cruiser";
import { beforeAll, describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const config = loadConfig();

describe("import directions", () => {
  let planted: ICruiseResult;

  beforeAll(async () => {
    const baseDir = path.join(ROOT, "test/fixtures/imports");
    planted = await run(["services", "client", "tools", "loadtest", "gen"], baseDir);
  });

  test.each(config.names)("%s: its planted violation is found, so the rule can fail", (name) => {
    expect(planted.summary.violations.map((violation) => violation.rule.name)).toContain(name);
  });

  test("a service that keeps the rules is left in peace, so the rules can be lived with", () => {
    const good = planted.summary.violations.filter(({ from }) => from.startsWith("services/good/"));
    expect(good.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  test("the tree itself keeps every rule", async () => {
    const { summary } = await run(["services", "client", "tools", "loadtest", "gen"], ROOT);
    expect(summary.totalCruised).toBeGreaterThan(50);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual(
      [],
    );
  });
});

async function run(folders: string[], baseDir: string): Promise<ICruiseResult> {
  const present = folders.filter((folder) => existsSync(path.join(baseDir, folder)));
  const { output } = await cruise(present, { ...config.options, baseDir }, config.resolveOptions);
  if (typeof output === "string") throw new Error("dependency-cruiser answered text, not a result");
  return output;
}

interface CruiserConfig {
  readonly names: readonly string[];
  readonly options: ICruiseOptions;
  readonly resolveOptions: object;
}

function loadConfig(): CruiserConfig {
  const { forbidden, options } = createRequire(import.meta.url)(`${ROOT}/.dependency-cruiser.cjs`);
  const { enhancedResolveOptions, tsConfig: _, ...rest } = options;
  return {
    names: forbidden.map((rule: { name: string }) => rule.name),
    options: { ...rest, ruleSet: { forbidden }, validate: true },
    resolveOptions: enhancedResolveOptions,
  };
}
