import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Rule, readTree, type TextFile } from "./support/tidy/files.ts";
import * as layout from "./support/tidy/layout.ts";
import * as source from "./support/tidy/source.ts";
import * as text from "./support/tidy/text.ts";

const RULES = { ...layout, ...source, ...text } satisfies Record<string, Rule>;

const TREE = readTree(path.resolve(import.meta.dirname, ".."));

/** What each rule must find, in a file that breaks it and nothing else; a rule without one does not compile. */
const PLANTED: Record<keyof typeof RULES, readonly TextFile[]> = {
  rooms: [file("services/payment/helpers/money.ts", "")],
  rpcFiles: [
    file("proto/payment/v1/payment.proto", "service P {\n  rpc GetStatus(A) returns (B);\n}"),
    file("services/payment/rpc/status.ts", ""),
  ],
  readmes: [file("services/payment/README.md", "line\n".repeat(21))],
  kebabCase: [file("services/payment/domain/phaseRules.ts", "")],
  deadFiles: [file("services/payment/main.ts", ""), file("services/payment/domain/lost.ts", "")],
  fileLength: [file("tools/start.ts", "const a = 1;\n".repeat(401))],
  functionLength: [file("tools/start.ts", `function long() {\n${"step();\n".repeat(70)}}`)],
  defaultExports: [file("services/payment/service.ts", "export default 1;")],
  unfinished: [file("services/payment/service.ts", `// ${"TO"}${"DO"} later`)],
  anyType: [file("services/payment/service.ts", "const a: any = 1;")],
  nonNull: [file("services/payment/service.ts", "const a = b!;")],
  suppressions: [file("services/payment/service.ts", "// @ts-expect-error")],
  casts: [file("services/payment/domain/phase.ts", "const a = b as Phase;")],
  docstrings: [file("services/payment/contract.ts", "export const QUEUE = 1;")],
  moneyAsNumber: [file("services/payment/domain/sum.ts", "const a = Number(money.minorUnits);")],
  environment: [file("services/payment/service.ts", "const a = process.env.HOME;")],
  sleeps: [file("test/unit/payment/sum.test.ts", `await ${"set"}Timeout(100);`)],
  farImports: [file("services/payment/service.ts", 'import { a } from "../kit/log.ts";')],
  machinePaths: [file("tools/start.ts", `const a = "/${"root"}/cache";`)],
  registryHosts: [file("package-lock.json", `"resolved": "${"http"}s://mirror/a.tgz"`)],
};

describe.each(Object.keys(RULES) as (keyof typeof RULES)[])("%s", (name) => {
  test("finds a planted violation, so the rule can fail", () => {
    expect(RULES[name](PLANTED[name])).not.toEqual([]);
  });

  test("holds in the whole tree", () => {
    expect(RULES[name](TREE)).toEqual([]);
  });
});

test.each([
  ["a good domain file", file("services/payment/domain/sum.ts", goodDomain())],
  [
    "a good test",
    file("test/unit/payment/sum.test.ts", `describe("sum", () => {\n${"a();\n".repeat(90)}});`),
  ],
])("leaves %s in peace, so the rules can be lived with", (_, good) => {
  const rules = Object.entries(RULES).filter(
    ([name]) => !["rooms", "rpcFiles", "deadFiles"].includes(name),
  );
  expect(rules.flatMap(([name, rule]) => rule([good]).map((found) => `${name}: ${found}`))).toEqual(
    [],
  );
});

function file(filePath: string, content: string): TextFile {
  return { path: filePath, text: content };
}

function goodDomain(): string {
  return [
    'import type { Money } from "#kit/pure/money.ts";',
    "",
    "/** Minor units left; never below 0. */",
    "export function left(amount: bigint, moved: bigint): bigint {",
    "  return amount - moved;",
    "}",
  ].join("\n");
}
